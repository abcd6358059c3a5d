// tfjs-core registers no gradient unless asked. The published file that asks is extensionless ESM, which Node can
// neither import nor require, so the build bundles it; its registry is a global of tfjs-core, hence one for all copies.
import '@tensorflow/tfjs-core/dist/register_all_gradients';

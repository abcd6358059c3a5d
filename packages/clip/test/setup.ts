import '@poiesis/testing';
import { useBackend } from '@poiesis/core';

await useBackend(process.env.POIESIS_TEST_BACKEND ?? 'cpu');

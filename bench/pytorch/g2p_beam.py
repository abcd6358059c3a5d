"""Beam search with the Transformer of g2p_train.py, a word a step. Needs torch==2.13.0.

nn.TransformerDecoderLayer keeps no past, so its parts are called one by one, with keys and values in caches. Beams of
one word are queries to the same memory.
"""
import torch
import torch.nn.functional as F

from _round import serve
from g2p_train import C, END, H, PAD, START, Model, words

BEAMS, STEPS = 4, 10


def heads(x):
    return x.unflatten(-1, (-1, C // H)).transpose(1, 2)


def merged(x):
    return x.transpose(1, 2).flatten(2)


class Decoder:
    """The decoder, token by token. The length of the cache is known beforehand."""

    def __init__(self, model, source):
        self.model, self.layers = model, model.transformer.decoder.layers
        padding = source == PAD
        self.mask = ~padding[:, None, None, :] if padding.any() else None
        memory = model.transformer.encoder(
            model.embed(model.source_embedding, source), src_key_padding_mask=padding if padding.any() else None
        )
        self.memory = []
        for layer in self.layers:
            attention = layer.multihead_attn
            both = F.linear(memory, attention.in_proj_weight[C:], attention.in_proj_bias[C:])
            self.memory.append([heads(part) for part in both.chunk(2, dim=-1)])
        rows = source.size(0) * BEAMS
        self.cache = [torch.zeros(2, rows, H, STEPS, C // H) for _ in self.layers]
        self.words = source.size(0)

    def step(self, tokens, position, parents=None):
        """Logarithms of probabilities [rows, vocab] after one more token of each row."""
        model = self.model
        x = model.embed(model.target_embedding, tokens[:, None], position)
        for i, layer in enumerate(self.layers):
            own, to_memory = layer.self_attn, layer.multihead_attn
            q, k, v = F.linear(layer.norm1(x), own.in_proj_weight, own.in_proj_bias).chunk(3, dim=-1)
            if parents is not None:
                past = self.cache[i][:, :, :, :position]
                self.cache[i][:, :, :, :position] = past.index_select(1, parents)
            cache = self.cache[i]
            cache[0, :, :, position], cache[1, :, :, position] = heads(k)[:, :, 0], heads(v)[:, :, 0]
            keys, values = cache[:, :, :, : position + 1]
            attended = F.scaled_dot_product_attention(heads(q), keys, values)
            x = x + own.out_proj(merged(attended))

            q = F.linear(layer.norm2(x), to_memory.in_proj_weight[:C], to_memory.in_proj_bias[:C])
            q = heads(q.view(self.words, BEAMS, C))
            attended = F.scaled_dot_product_attention(q, *self.memory[i], attn_mask=self.mask)
            x = x + to_memory.out_proj(merged(attended).view(-1, 1, C))

            x = x + layer.linear2(F.relu(layer.linear1(layer.norm3(x))))
        return model.output(model.transformer.decoder.norm(x))[:, 0].log_softmax(-1)


def beam_search(model, source):
    """For each word up to BEAMS (logarithm of the probability, tokens), the most probable first."""
    count = source.size(0)
    decoder = Decoder(model, source)
    finished = [[] for _ in range(count)]
    done = [False] * count
    history = [[[] for _ in range(BEAMS)] for _ in range(count)]
    scores = torch.full((count, BEAMS), float("-inf"))
    scores[:, 0] = 0
    tokens, parents = torch.full((count * BEAMS,), START), None
    first_rows = torch.arange(count)[:, None] * BEAMS
    for position in range(STEPS):
        log_probs = decoder.step(tokens, position, parents)
        log_probs[:, [PAD, START]] = float("-inf")
        vocab = log_probs.size(1)
        totals = scores[:, :, None] + log_probs.view(count, BEAMS, vocab)
        best, at = totals.flatten(1).topk(2 * BEAMS)
        fed, from_rows, kept = [], [], []
        for word, (values, places) in enumerate(zip(best.tolist(), at.tolist())):
            alive = []
            for rank, (value, place) in enumerate(zip(values, places)):
                beam, token = divmod(place, vocab)
                if token == END:
                    if rank < BEAMS and not done[word]:
                        finished[word].append((value, history[word][beam]))
                elif len(alive) < BEAMS:
                    alive.append((value, beam, token))
            finished[word] = sorted(finished[word], reverse=True)[:BEAMS]
            if len(finished[word]) == BEAMS and finished[word][-1][0] >= alive[0][0]:
                done[word] = True
            history[word] = [history[word][beam] + [token] for _, beam, token in alive]
            fed += [token for _, _, token in alive]
            from_rows.append([beam for _, beam, _ in alive])
            kept.append([value for value, _, _ in alive])
        if all(done):
            break
        tokens, scores = torch.tensor(fed), torch.tensor(kept)
        parents = (first_rows + torch.tensor(from_rows)).view(-1)
    cut = zip(scores.tolist(), history)
    return [(known + list(zip(*rest)))[:BEAMS] for known, rest in zip(finished, cut)]


def prepare(count=1):
    model = Model().eval()
    with torch.no_grad():
        model.output.bias[END] = -20  # nothing was learned, so that words would end anywhere: all are to take as long
    sources = [source for source, _ in words(64, 5, 8)]

    @torch.inference_mode()
    def step(index):
        some = [sources[(index + i) % len(sources)] for i in range(count)]
        said = beam_search(model, torch.nn.utils.rnn.pad_sequence(some, batch_first=True, padding_value=PAD))
        return said[-1][0][0]

    return step


if __name__ == "__main__":
    serve(prepare)

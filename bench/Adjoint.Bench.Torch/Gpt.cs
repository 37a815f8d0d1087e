using TorchSharp;
using static TorchSharp.torch;

namespace Adjoint.Bench;

/// <summary>
/// GPT-2's network with tied weights, as one writes it by hand for inference: a cache of keys and values that is
/// allocated once, and PyTorch's own attention.
/// </summary>
internal sealed class Gpt
{
    private const int Vocabulary = 256, Width = 128, Heads = 4, LayerCount = 4;
    private readonly Tensor tokens = 0.02 * randn(Vocabulary, Width), positions;
    private readonly nn.Module<Tensor, Tensor> norm = nn.LayerNorm(Width);
    private readonly Block[] blocks;

    internal Gpt(int context)
    {
        positions = 0.02 * randn(context, Width);
        blocks = [.. Enumerable.Range(0, LayerCount).Select(_ => new Block(context))];
    }

    /// <summary>Draws tokens after a prompt.</summary>
    /// <param name="prompt">The number of tokens to go on from.</param>
    /// <param name="count">The number of tokens to draw.</param>
    /// <param name="usesCache">Whether each token is computed once; otherwise the whole sequence for each.</param>
    internal void Generate(int prompt, int count, bool usesCache)
    {
        using var outer = NewDisposeScope();
        using var mode = inference_mode();
        var all = zeros(1, prompt + count, dtype: ScalarType.Int64);
        for (var (seen, length) = (0, prompt); length < prompt + count; length++)
        {
            using var scope = NewDisposeScope();
            var next = nn.functional.softmax(Logits(all, usesCache ? seen : 0, length, usesCache), 1).multinomial(1);
            all.narrow(1, length, 1).copy_(next);
            seen = length;
        }
    }

    private Tensor Logits(Tensor all, int from, int to, bool usesCache)
    {
        var x = (tokens.index_select(0, all[0].narrow(0, from, to - from)) + positions.narrow(0, from, to - from))
            .unsqueeze(0);
        foreach (var block in blocks) x = block.Forward(x, usesCache ? from : null);
        return norm.forward(x.narrow(1, to - from - 1, 1)).squeeze(1).matmul(tokens.t());
    }

    private sealed class Block(int context)
    {
        private readonly nn.Module<Tensor, Tensor> first = nn.LayerNorm(Width), second = nn.LayerNorm(Width);
        private readonly nn.Module<Tensor, Tensor> project = nn.Linear(Width, 3 * Width);
        private readonly nn.Module<Tensor, Tensor> output = nn.Linear(Width, Width);
        private readonly nn.Module<Tensor, Tensor> widen = nn.Linear(Width, 4 * Width);
        private readonly nn.Module<Tensor, Tensor> narrow = nn.Linear(4 * Width, Width);
        private readonly Tensor keys = zeros(1, Heads, context, Width / Heads);
        private readonly Tensor values = zeros(1, Heads, context, Width / Heads);

        internal Tensor Forward(Tensor x, int? from)
        {
            var length = x.shape[1];
            var heads = project.forward(first.forward(x)).view(1, length, 3, Heads, Width / Heads)
                .permute(2, 0, 3, 1, 4);
            var (q, k, v) = (heads[0], heads[1], heads[2]);
            if (from is { } start)
            {
                keys.narrow(2, start, length).copy_(k);
                values.narrow(2, start, length).copy_(v);
                (k, v) = (keys.narrow(2, 0, start + length), values.narrow(2, 0, start + length));
            }
            // Of one query nothing is masked out.
            var attended = nn.functional.scaled_dot_product_attention(q, k, v, is_casual: length > 1);
            x = x + output.forward(attended.transpose(1, 2).reshape(1, length, Width));
            return x + narrow.forward(nn.functional.gelu(widen.forward(second.forward(x))));
        }
    }
}

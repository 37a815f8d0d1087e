using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class TransformerTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void A_row_that_sees_nothing_has_finite_gradients_through_the_block(bool isPreNorm)
    {
        var layer = new TransformerEncoderLayer(8, 2, new() { IsPreNorm = isPreNorm, Dropout = 0 });
        var mask = new AttentionMask
        {
            Mask = Tensor.From(new[] { false, false, false, true, true, false, true, true, true }, 3, 3),
            Lengths = Tensor.From(new long[] { 3, 0 }),
        };
        var values = Tensor.Randn([2, 3, 8], new Generator(1)).ToArray<float>();
        var x = Tensor.From<float>(values, 2, 3, 8).RequireGrad();
        var y = layer.Forward(x, mask);
        y.Square().Sum().Backward();
        Assert.All(y.ToArray<float>(), value => Assert.True(float.IsFinite(value)));
        Assert.All(x.Grad!.ToArray<float>(), value => Assert.True(float.IsFinite(value)));
        Assert.All(layer.Parameters(), parameter =>
            Assert.All(parameter.Grad!.ToArray<float>(), value => Assert.True(float.IsFinite(value))));
        // What attends to nothing gets the bias alone: the same as if there was no attention.
        using (new NoGrad()) layer.SelfAttention.StateDict()["out_proj.weight"].Fill(0);
        var without = layer.Forward(x, mask);
        Assert.Equal(y[1].ToArray<float>(), without[1].ToArray<float>());
        Assert.Equal(y[0, 0].ToArray<float>(), without[0, 0].ToArray<float>());
        Assert.NotEqual(y[0, 1].ToArray<float>(), without[0, 1].ToArray<float>());
    }

    [Fact]
    public void NaN_in_padding_stays_there()
    {
        var layer = new TransformerEncoderLayer(8, 2, new() { IsPreNorm = true });
        layer.Eval();
        var clean = Tensor.Randn([2, 3, 8], new Generator(1));
        var values = clean.ToArray<float>();
        for (var i = 16; i < 24; i++) values[i] = float.NaN;
        var mask = new AttentionMask { Lengths = Tensor.From(new long[] { 2, 3 }) };
        var (expected, found) = (layer.Forward(clean, mask), layer.Forward(Tensor.From<float>(values, 2, 3, 8), mask));
        Assert.Equal(expected[0, ..2].ToArray<float>(), found[0, ..2].ToArray<float>());
        Assert.Equal(expected[1].ToArray<float>(), found[1].ToArray<float>());
    }

    [Theory, InlineData(NormKind.Layer, false), InlineData(NormKind.Rms, true)]
    public void Derivatives_of_an_encoder_are_those_of_differences(NormKind norm, bool isPreNorm)
    {
        var encoder = new TransformerEncoder(4, 2, 1, new()
        {
            FeedForward = 3,
            Dropout = 0,
            Activation = FeedForwardActivation.Gelu,
            IsPreNorm = isPreNorm,
            Norm = norm,
            HasFinalNorm = isPreNorm,
            Generator = new(7),
        });
        encoder.To(DType.Float64);
        var x = Tensor.Randn([2, 3, 4], new Generator(2), DType.Float64);
        var mask = new AttentionMask { Lengths = Tensor.From(new long[] { 2, 3 }) };
        var result = GradCheck.Run(_ => encoder.Forward(x, mask), [x, .. encoder.Parameters()]);
        Assert.True(result.MaxError < 1e-6, result.Worst);
    }

    [Fact]
    public void Derivatives_of_a_decoder_are_those_of_differences()
    {
        var decoder = new TransformerDecoder(4, 2, 1, new()
        {
            FeedForward = 3,
            Dropout = 0,
            Activation = FeedForwardActivation.Silu,
            RotaryTheta = 10,
            Generator = new(7),
        });
        decoder.To(DType.Float64);
        var (x, memory) = (Tensor.Randn([2, 3, 4], new Generator(2), DType.Float64),
            Tensor.Randn([2, 2, 4], new Generator(3), DType.Float64));
        var result = GradCheck.Run(_ => decoder.Forward(x, memory, AttentionMask.Causal),
            [x, memory, .. decoder.Parameters()]);
        Assert.True(result.MaxError < 1e-6, result.Worst);
    }

    [Fact]
    public void A_decoder_goes_on_from_its_caches()
    {
        var decoder = new TransformerDecoder(8, 2, 2, new() { RotaryTheta = 100, HasFinalNorm = true });
        decoder.To(DType.Float64).Eval();
        var (x, memory) = (Tensor.Randn([2, 5, 8], new Generator(2), DType.Float64),
            Tensor.Randn([2, 3, 8], new Generator(3), DType.Float64));
        var all = decoder.Forward(x, memory, AttentionMask.Causal);
        using var _ = new NoGrad();
        KeyValueCache[] caches = [.. decoder.Layers.Select(layer => layer.SelfAttention.CreateCache(2, 5))];
        foreach (var (start, count) in ((int, int)[])[(0, 2), (2, 1), (3, 2)])
        {
            var part = decoder.Forward(x.Slice(1, start, count), memory, AttentionMask.Causal, caches: caches);
            Assert.All(part.ToArray<double>().Zip(all.Slice(1, start, count).ToArray<double>()),
                pair => Assert.Equal(pair.Second, pair.First, 1e-12));
        }
        Assert.Contains("TransformerDecoder: one cache for each of 2 layers is needed: found 1",
            Assert.Throws<AdjointException>(() => decoder.Forward(x, memory, caches: [caches[0]])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_begin_with_values_of_their_own()
    {
        var layers = new TransformerEncoder(8, 2, 2, new() { Generator = new(1) }).Layers;
        Assert.NotEqual(layers[0].StateDict()["linear1.weight"].ToArray<float>(),
            layers[1].StateDict()["linear1.weight"].ToArray<float>());
        Assert.Equal((Shape)(int[])[32, 8], layers[0].StateDict()["linear1.weight"].Shape);
    }

    [Fact]
    public void Dropout_acts_in_training_alone()
    {
        var layer = new TransformerEncoderLayer(8, 2, new() { Dropout = 0.5, Generator = new(1) });
        var x = Tensor.Randn([1, 3, 8], new Generator(2));
        Assert.NotEqual(layer.Forward(x).ToArray<float>(), layer.Forward(x).ToArray<float>());
        layer.Eval();
        Assert.Equal(layer.Forward(x).ToArray<float>(), layer.Forward(x).ToArray<float>());
    }
}

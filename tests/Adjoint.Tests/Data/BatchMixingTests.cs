using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class BatchMixingTests
{
    private const int Classes = 4;
    private const int Count = 6;

    [Fact]
    public void Mixup_mixes_inputs_and_targets_by_the_same_share()
    {
        var batch = Batch();
        var (x, labels) = (batch.Inputs.ToArray<float>(), batch.Targets.ToArray<long>());
        var shares = new List<double>();
        for (var number = 0; number < 300; number++)
        {
            var mixed = Apply(new MixUp(Classes, 0.5), batch, number);
            var (inputs, targets) = (mixed.Inputs.ToArray<float>(), mixed.Targets.ToArray<float>());
            // Sample i holds 1000·i everywhere, so that its value tells whom it was mixed with.
            var share = Enumerable.Range(0, Count).SelectMany(i => Enumerable.Range(0, Count).Select(j => (i, j)))
                .Where(pair => pair.i != pair.j && inputs[pair.i * 32] != x[pair.i * 32])
                .Select(pair => (inputs[pair.i * 32] / 1000 - pair.j) / (pair.i - pair.j))
                .Where(candidate => candidate is >= 0 and <= 1)
                .FirstOrDefault(candidate => Fits((float)candidate), float.NaN);
            if (float.IsNaN(share)) continue;
            shares.Add(share);

            bool Fits(float candidate) => Enumerable.Range(0, Count).All(i => Enumerable.Range(0, Count).Any(j =>
                Math.Abs(inputs[i * 32] - 1000 * (candidate * i + (1 - candidate) * j)) < 0.1
                && Enumerable.Range(0, Classes).All(k => Math.Abs(targets[i * Classes + k]
                    - ((labels[i] == k ? candidate : 0) + (labels[j] == k ? 1 - candidate : 0))) < 1e-4)));
        }
        // A batch whose order stays as it is mixes nothing: once in 720.
        Assert.InRange(shares.Count, 290, 300);
        // Beta(½, ½) has mean ½ and variance ⅛.
        Assert.InRange(shares.Average(), 0.42, 0.58);
        Assert.InRange(shares.Average(share => (share - 0.5) * (share - 0.5)), 0.105, 0.145);
    }

    [Fact]
    public void Cutmix_pastes_one_rectangle_and_mixes_targets_by_its_area()
    {
        var batch = Batch();
        var labels = batch.Targets.ToArray<long>();
        for (var number = 0; number < 100; number++)
        {
            var mixed = Apply(new CutMix(Classes), batch, number);
            var (inputs, targets) = (mixed.Inputs.ToArray<float>(), mixed.Targets.ToArray<float>());
            for (var i = 0; i < Count; i++)
            {
                float[] pixels = inputs[(i * 32)..(i * 32 + 16)], second = inputs[(i * 32 + 16)..(i * 32 + 32)];
                Assert.Equal(pixels, second);
                int[] pasted = [.. Enumerable.Range(0, 16).Where(p => pixels[p] != 1000 * i)];
                if (pasted.Length == 0) continue;
                var other = (int)(pixels[pasted[0]] / 1000);
                Assert.All(pasted, p => Assert.Equal(1000 * other, pixels[p]));
                int[] rows = [.. pasted.Select(p => p / 4).Distinct()];
                int[] columns = [.. pasted.Select(p => p % 4).Distinct()];
                Assert.Equal(pasted.Length, rows.Length * columns.Length);
                for (var k = 0; k < Classes; k++)
                    Assert.Equal((labels[i] == k ? 1 - pasted.Length / 16f : 0)
                        + (labels[other] == k ? pasted.Length / 16f : 0), targets[i * Classes + k], 1e-6f);
            }
        }
    }

    [Fact]
    public void Weights_mix_so_that_the_loss_is_the_mix_of_both_losses()
    {
        var batch = Batch().With(Field.Weights, Tensor.From([1f, 2, 0, 4, 5, 0.5f]));
        double[] losses = [0.3, 1.1, 2.5, 0.7];
        var (labels, weights) = (batch.Targets.ToArray<long>(), batch.Weights!.ToArray<float>());
        for (var number = 0; number < 50; number++)
        {
            var mixed = Apply(new MixUp(Classes, 1), batch, number);
            var plain = Apply(new MixUp(Classes, 1), Batch(), number);
            var (soft, own) = (mixed.Targets.ToArray<float>(), mixed.Weights!.ToArray<float>());
            var random = new SampleRandom(3, 1, number, SampleRandom.OfBatches);
            var share = random.Beta(1, 1);
            for (var i = 0; i < Count; i++)
            {
                var found = own[i] * Enumerable.Range(0, Classes).Sum(k => soft[i * Classes + k] * losses[k]);
                var value = (plain.Inputs.ToArray<float>()[i * 32] / 1000 - share * i) / (1 - share);
                var other = (int)Math.Round(value);
                var expected = share * weights[i] * losses[labels[i]]
                    + (1 - share) * weights[other] * losses[labels[other]];
                Assert.Equal(expected, found, 1e-3 * Math.Max(1, expected));
            }
        }
    }

    [Fact]
    public void A_loader_mixes_by_seed_epoch_and_batch_alone()
    {
        var batch = Batch();
        var data = new TensorDataset("x", [.. batch.Names.Zip(batch.Tensors)]);
        float[] Pass(int prefetch, int workers, ulong seed) => [.. new DataLoader(data, 2, new()
        {
            Seed = seed,
            Prefetch = prefetch,
            Workers = workers,
            BatchTransforms = [new MixUp(Classes), new CutMix(Classes)],
        }).SelectMany(one => one.Inputs.ToArray<float>().Concat(one.Targets.ToArray<float>()))];

        Assert.Equal(Pass(0, 1, 1), Pass(4, 3, 1));
        Assert.NotEqual(Pass(0, 1, 1), Pass(0, 1, 2));
    }

    [Fact]
    public void A_missing_label_gives_no_probability()
    {
        var batch = Batch().With(Field.Targets, Tensor.From([-100L, -100, -100, -100, -100, -100]));
        Assert.All(Apply(new MixUp(Classes), batch, 0).Targets.ToArray<float>(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void What_cannot_be_mixed_is_refused()
    {
        Refused(() => _ = new MixUp(1), "MixUp: there must be two classes or more: found 1");
        Refused(() => _ = new CutMix(3, 0), "CutMix: alpha must be positive: found 0");
        Refused(() => Apply(new CutMix(3), Batch(), 0), "CutMix: labels must be from 0 to 2: found 3");
        Refused(() => Apply(new MixUp(3), Batch().With(Field.Targets, Tensor.Zeros(Count, 2)), 0),
            "MixUp: targets must be labels (n), int64, or probabilities (n, 3), float32: found (6, 2), float32");
        Refused(() => Apply(new CutMix(4), Batch().With(Field.Inputs, Tensor.Zeros(Count, 2)), 0),
            "CutMix: inputs must be images (n, channels, height, width): found (6, 2)");
    }

    private static void Refused(Action action, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);

    // Sample i: two channels of 4×4, all 1000·i, of class i mod 4.
    private static Batch Batch() => new(
        (Field.Inputs, Tensor.From([.. Enumerable.Range(0, Count * 32).Select(i => 1000f * (i / 32))], Count, 2, 4, 4)),
        (Field.Targets, Tensor.From([.. Enumerable.Range(0, Count).Select(i => (long)(i % Classes))])));

    private static Batch Apply(BatchTransform transform, Batch batch, int number)
    {
        var random = new SampleRandom(3, 1, number, SampleRandom.OfBatches);
        return transform.Apply(batch, ref random);
    }
}

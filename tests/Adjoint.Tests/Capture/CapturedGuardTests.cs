using Adjoint.Nn;

namespace Adjoint.Tests.Capture;

/// <summary>What a plan froze, and what it reads from outside, is seen when it changes.</summary>
public class CapturedGuardTests
{
    private static readonly Tensor None = Tensor.Zeros(1);

    [Fact]
    public void Freezing_and_unfreezing_after_capture_is_seen()
    {
        var (v, w) = (Leaf(1), Leaf(2));
        var x = Tensor.Randn([8, 64], new Generator(3));
        Tensor Of(Tensor input) => input.MatMul(v).Tanh().MatMul(w).Mean();
        var step = CapturedStep.Create((input, _) => Of(input), [v, w]);
        foreach (var learning in (string[])["vw", "vw", "vw", "w", "w", "v", "vw", "w"])
        {
            var (first, second) = (learning.Contains('v'), learning.Contains('w'));
            v.RequireGrad(first);
            w.RequireGrad(second);
            var expected = Differentiation.Gradients(Of(x), [v, w]);
            step.Run(x, None);
            Assert.Equal(first ? expected[0]!.ToArray<float>() : null, v.Grad?.ToArray<float>());
            Assert.Equal(second ? expected[1]!.ToArray<float>() : null, w.Grad?.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void Modes_and_hooks_of_modules_and_hooks_of_parameters_changed_after_capture_are_seen()
    {
        var (linear, norm) = (new Linear(64, 64, generator: new Generator(1)), new BatchNorm(64));
        var model = new Sequential(linear, norm);
        var x = Tensor.Randn([32, 64], new Generator(2));
        var step = CapturedStep.Create((input, _) => model.Forward(input).Square().Sum(), model.Parameters());
        double Use()
        {
            using (new NoGrad()) return model.Forward(x).Square().Sum().Item();
        }

        for (var call = 0; call < 3; call++) step.Run(x, None);
        model.Eval();
        Assert.Equal(Use(), step.Run(x, None).Item());
        norm.Train();
        norm.Eval();
        Assert.Equal(Use(), step.Run(x, None).Item());
        using (model.RegisterForwardHook((_, _, y) => y * 2)) Assert.Equal(Use(), step.Run(x, None).Item());
        Assert.Equal(Use(), step.Run(x, None).Item());
        var plain = linear.Weight.Grad!.ToArray<float>();
        using (linear.Weight.RegisterHook(gradient => gradient * 2)) step.Run(x, None);
        Assert.Equal(plain.Select(value => 2 * value), linear.Weight.Grad!.ToArray<float>());
        using (norm.RegisterBackwardHook((_, gradient) => gradient * 4)) step.Run(x, None);
        Assert.Equal(plain.Select(value => 4 * value), linear.Weight.Grad!.ToArray<float>());
        step.Run(x, None);
        Assert.Equal(plain, linear.Weight.Grad!.ToArray<float>());
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void Values_from_outside_are_those_of_the_moment()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var (mask, factor, offset) = (Tensor.Ones(64, 64), Tensor.Scalar(1), Tensor.Scalar(0));
        var ids = Tensor.From(new long[] { 0, 1 });
        var table = new Embedding(4, 2048, new Generator(1));
        Tensor Read(Tensor x) => (x * w * mask).Mean() * factor + offset.Item() + table.Forward(ids).Sum() * 0.0;
        var step = CapturedStep.Create((x, _) => Read(x) + ids.ToArray<long>()[0], [w]);
        var x = Tensor.Ones(64, 64);
        for (var call = 0; call < 3; call++) Assert.Equal(1, step.Run(x, None).Item());
        mask.Fill(3);
        Assert.Equal(3, step.Run(x, None).Item());
        factor.Fill(2);
        Assert.Equal(6, step.Run(x, None).Item());
        offset.Fill(5);
        Assert.Equal(11, step.Run(x, None).Item());
        ids.CopyFrom<long>([2, 1]);
        Assert.Equal(13, step.Run(x, None).Item());
        using (new NoGrad()) w.Fill(2);
        Assert.Equal(19, step.Run(x, None).Item());
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void Running_statistics_that_a_replay_moved_count_as_changed()
    {
        var norm = new BatchNorm(8);
        var mean = norm.NamedBuffers().First().Value;
        var step = CapturedStep.Create((x, _) => norm.Forward(x).Square().Mean(), norm.Parameters());
        for (var call = 0; call < 5; call++)
        {
            var (before, version) = (mean.ToArray<float>(), mean.Version);
            step.Run(Tensor.Randn([16, 8], new Generator((ulong)call)), None);
            Assert.NotEqual(before, mean.ToArray<float>());
            if (call > 1) Assert.NotEqual(version, mean.Version);
        }
    }

    private static Tensor Leaf(ulong seed) => Tensor.Randn([64, 64], new Generator(seed)).RequireGrad();
}

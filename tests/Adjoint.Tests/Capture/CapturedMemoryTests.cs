using System.Runtime.CompilerServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>A captured step reads and writes what the eager step would, and nothing else.</summary>
public class CapturedMemoryTests
{
    private static readonly Tensor None = Tensor.Zeros(1);
    private static readonly Tensor Ones = Tensor.Ones(64, 64);

    [Fact]
    public void Constants_made_in_a_step_live_as_long_as_the_step()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(Tensor.Full([64, 64], 1.0)).Mean(), [w]);
        AssertConstant(64, step, Tensor.Ones(64, 64));
        var scale = Tensor.Full([1, 1, 1, 1], 1.0).RequireGrad();
        var pool = CapturedStep.Create((x, _) => (x * scale).AvgPool2d(32).Mean(), [scale]);
        AssertConstant(72, pool, Tensor.Full([2, 3, 64, 64], 72));
        var mixed = CapturedStep.Create(
            (x, _) => (x * w * Tensor.Full([64, 64], 2)).Sigmoid().MatMul(Tensor.From(new float[4096], 64, 64)).Sum(),
            [w]);
        AssertConstant(0, mixed, Tensor.Ones(64, 64));
        var counted = CapturedStep.Create(
            (x, _) => (x * w).MatMul(Tensor.Eye(64)).Mean() + Tensor.Arange(0, 4096).Max() * Tensor.Eye(64, 80).Sum(),
            [w]);
        AssertConstant(1 + 4095 * 64, counted, Tensor.Ones(64, 64));
    }

    private static void AssertConstant(double expected, CapturedStep step, Tensor x)
    {
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal(expected, step.Run(x, None).Item());
            Disturb();
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_trainer_captures_a_module_that_makes_constants()
    {
        double[] Losses(bool eager)
        {
            var inputs = Tensor.Randn([256 * 40], new Generator(1)).ToArray<float>();
            byte[] labels = [.. Enumerable.Range(0, 256).Select(i => (byte)(i % 3))];
            var data = new Dataset("noise", (int[])[40], inputs, labels, ["a", "b", "c"]);
            var model = new Halved(new Mlp(40, [64], 3, "relu", new Generator(2)));
            var (training, validation) = (new DataLoader(data, 64), new DataLoader(data, 64));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), training, validation) { Eager = eager };
            trainer.Callbacks.Add(new Disturbing());
            return [.. trainer.Run(3).Epochs.Select(epoch => epoch.ValidationLoss)];
        }

        Assert.Equal(Losses(eager: true), Losses(eager: false));
    }

    [Fact]
    public void A_tensor_of_a_graph_that_went_backward_since_is_refused_as_in_an_eager_step()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var made = v * 3;
        var (dropped, kept) = (made.Detach(), (v * 4).Keep().Detach());
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(dropped).Mean(), [w]);
        var keeping = CapturedStep.Create((x, _) => (x * w).MatMul(kept).Mean(), [w]);
        var x = Tensor.Ones(64, 64);
        for (var call = 0; call < 3; call++)
        {
            Assert.Equal(192, step.Run(x, None).Item());
            Assert.Equal(256, keeping.Run(x, None).Item());
        }
        made.Sum().Backward();
        for (var i = 0; i < 3; i++) (v * 5).Sum().Backward();
        Disturb();
        Assert.Equal(256, keeping.Run(x, None).Item());
        var before = w.Grad!.ToArray<float>();
        var error = Assert.Throws<AdjointException>(() => step.Run(x, None));
        Assert.Equal(Assert.Throws<AdjointException>(() => (x * w).MatMul(dropped)).Message, error.Message);
        Assert.Equal(before, w.Grad!.ToArray<float>());
    }

    [Fact]
    public void A_gradient_that_was_cleared_since_is_refused_as_in_an_eager_step()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        (v * 3).Sum().Backward();
        var gradient = v.Grad!;
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(gradient).Mean(), [w]);
        for (var call = 0; call < 3; call++) Assert.Equal(192, step.Run(Tensor.Ones(64, 64), None).Item());
        v.ZeroGrad();
        Disturb();
        var error = Assert.Throws<AdjointException>(() => step.Run(Ones, None));
        Assert.Contains("cleared by ZeroGrad", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Leaves_that_were_not_asked_for_get_no_gradient_from_a_captured_step()
    {
        // The ordinary loop of a generative adversarial network: the discriminator learns eagerly, the generator from a
        // captured step.
        float[] Train(bool captured, out double disturbed)
        {
            var g = new Mlp(16, [64], 64, "relu", new Generator(1));
            var d = new Mlp(64, [64], 1, "relu", new Generator(2));
            var (ofG, ofD) = (new Adam(g.Parameters(), 0.01), new Adam(d.Parameters(), 0.01));
            Tensor Fooled(Tensor noise, Tensor ones) => Loss.BceWithLogits(d.Forward(g.Forward(noise)), ones);
            var step = CapturedStep.Create(Fooled, g.Parameters());
            var (ones, zeros) = (Tensor.Ones(32, 1), Tensor.Zeros(32, 1));
            var losses = new List<float>();
            disturbed = 0;
            for (var i = 0; i < 12; i++)
            {
                var real = Tensor.Randn([32, 64], new Generator(7, (ulong)i));
                var noise = Tensor.Randn([32, 16], new Generator(8, (ulong)i));
                ofD.ZeroGrad();
                var made = Loss.BceWithLogits(d.Forward(g.Forward(noise).Detach()), zeros);
                (Loss.BceWithLogits(d.Forward(real), ones) + made).Backward();
                ofD.Step();
                var before = d.Parameters().Select(parameter => parameter.Grad!.ToArray<float>()).ToArray();
                if (captured) losses.Add((float)step.Run(noise, ones).Item());
                else
                {
                    ofG.ZeroGrad();
                    var fooled = Fooled(noise, ones);
                    var leaves = g.Parameters().ToArray();
                    foreach (var (leaf, gradient) in leaves.Zip(Differentiation.Gradients(fooled, leaves)))
                        leaf.Grad = gradient;
                    losses.Add((float)fooled.Item());
                }
                Assert.Equal(before, d.Parameters().Select(parameter => parameter.Grad!.ToArray<float>()));
                ofG.Step();
                ofD.ZeroGrad();
                var untouched = Enumerable.Range(0, 12).Select(_ => Tensor.Full([64, 64], 7.0)).ToArray();
                if (captured) step.Run(noise, ones);
                disturbed += untouched.Sum(tensor => tensor.ToArray<float>().Count(value => value != 7));
                Assert.All(d.Parameters(), parameter => Assert.Null(parameter.Grad));
            }
            Assert.Equal(captured, step.IsCaptured);
            var parameters = g.Parameters().Concat(d.Parameters());
            return [.. losses, .. parameters.SelectMany(parameter => parameter.ToArray<float>())];
        }

        var eager = Train(false, out _);
        Assert.Equal(eager, Train(true, out var disturbed));
        Assert.Equal(0, disturbed);
    }

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
    public void Gradients_are_right_whatever_was_done_to_them_between_calls()
    {
        var (v, w, unused) = (Leaf(1), Leaf(2), Leaf(3));
        var x = Tensor.Randn([64, 64], new Generator(3));
        Tensor First(Tensor input) => input.MatMul(v).MatMul(w).Mean();
        Tensor Second(Tensor input) => (input * v * v).Sum();
        var first = CapturedStep.Create((input, _) => First(input), [v, w, unused, v]);
        var second = CapturedStep.Create((input, _) => Second(input), [v]);
        var ofFirst = Differentiation.Gradients(First(x), [v, w]);
        var ofSecond = Differentiation.Gradients(Second(x), [v]);
        static void Check(Tensor parameter, Tensor? expected) =>
            Assert.Equal(expected!.ToArray<float>(), parameter.Grad!.ToArray<float>());
        Action[] between =
        [
            () => { }, v.ZeroGrad, () => v.Grad = null, () => v.Grad = Tensor.Ones(64, 64),
            () => v.Grad = v.Grad!.Transpose().Contiguous(), () => (v * 3).Sum().Backward(),
            () => unused.Sum().Backward(),
            () => v.Grad!.Fill(0), Disturb, () => ClipGradients.ByNorm([v, w], 1e-3),
        ];
        foreach (var act in between.Concat(between))
        {
            first.Run(x, None);
            Check(v, ofFirst[0]);
            Check(w, ofFirst[1]);
            Assert.Null(unused.Grad);
            act();
            second.Run(x, None);
            Check(v, ofSecond[0]);
            act();
        }
        Assert.True(first.IsCaptured && second.IsCaptured);
        // An eager loss adds to what a replay left, as it does to any gradient.
        second.Run(x, None);
        (v * 3).Sum().Backward();
        Assert.Equal(ofSecond[0]!.ToArray<float>().Select(value => value + 3), v.Grad!.ToArray<float>());
    }

    [Fact]
    public void A_gradient_of_plain_numbers_is_right_whatever_was_done_to_it_between_calls()
    {
        var w = Leaf(1);
        var step = CapturedStep.Create((input, _) => Op.Apply(new PlainSlope(), w) + input.Sum(), [w]);
        foreach (var act in (Action[])[() => ClipGradients.ByValue([w], 0.5), () => w.Grad!.Fill(0),
            () => (w * 3).Sum().Backward(), () => ClipGradients.ByNorm([w], 1), () => { }])
        {
            step.Run(Tensor.Zeros(64, 64), None);
            Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
            act();
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_gradient_of_another_leaf_that_was_replaced_is_seen()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var step = CapturedStep.Create((x, _) => (x * w * v.Grad!).Mean(), [w]);
        foreach (var factor in (int[])[2, 2, 2, 3, 3, 4, 5])
        {
            if (factor == 4) v.ZeroGrad();
            v.Grad = null;
            (v * factor).Sum().Backward();
            Assert.Equal(factor, step.Run(Tensor.Ones(64, 64), None).Item());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void Gradients_outlive_the_step_that_made_them()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        RunAndDrop(w);
        for (var i = 0; i < 3; i++) Disturb();
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunAndDrop(Tensor w)
    {
        var step = CapturedStep.Create((x, _) => (x * w).Sum(), [w]);
        for (var call = 0; call < 3; call++) step.Run(Tensor.Full([64, 64], 2.0), None);
    }

    [Fact]
    public void What_a_replay_would_not_do_is_refused_by_name()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var (x, buffer) = (Tensor.Ones(64, 64), Tensor.Ones(64, 64));
        string Refusal(Func<Tensor, Tensor> loss)
        {
            var step = CapturedStep.Create((a, _) => loss(a), [w]);
            step.Run(x, None);
            var message = Assert.Throws<CaptureException>(() => step.Run(x, None)).Message;
            var lenient = CapturedStep.Create((a, _) => loss(a), [w], fallBackToEager: true);
            for (var call = 0; call < 3; call++) lenient.Run(x, None);
            Assert.NotNull(lenient.Refusal);
            return message;
        }

        Tensor Plain(Tensor a) => (a * w).Sum();
        void Refused(string reason, Func<Tensor, Tensor> loss) =>
            Assert.Contains(reason, Refusal(loss), StringComparison.Ordinal);
        Func<Tensor, Tensor> After(Action act) => a =>
        {
            act();
            return Plain(a);
        };

        Refused("Fill writes into an input", a =>
        {
            a.Fill(2);
            return Plain(a);
        });
        Refused("CopyFrom writes", After(() => buffer.CopyFrom<float>(new float[64 * 64])));
        Refused("random numbers", a => (a * w).IndexSelect(0, new Generator(1).Permutation(64)).Sum());
        Refused("changes a constant", a =>
        {
            var constant = Tensor.Full([64, 64], 1.0);
            var y = a * w + constant;
            constant.CopyFrom<float>(new float[64 * 64]);
            return (y + constant).Sum();
        });
        Refused("plain numbers", a =>
        {
            var constant = Tensor.Full([64, 64], 1.0);
            var y = a * w + constant;
            constant.Fill(2);
            return (y + constant).Sum();
        });
        Refused("between operations", a =>
        {
            buffer.CopyFrom((a * w).Detach());
            return Plain(a) * buffer.Mean().Item() + buffer.ItemAt(1, 1);
        });
        Refused("between operations", a =>
        {
            var made = Tensor.Zeros(64, 64);
            made.CopyFrom((a * w).Detach());
            return Plain(a) * made.ItemAt(1, 1);
        });
        Refused("plain numbers", a => Op.Apply(new AddsUp(), a * w).Sum());
        Refused("plain numbers", a => Op.Apply(new AddsUp(isUpdate: true), a * w).Sum());
        var error = Assert.Throws<AdjointException>(() => Plain(x).BackwardTo([w * 2]));
        Assert.Contains("gradients are added to leaves", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_in_place_are_part_of_a_captured_step()
    {
        // Of a tensor from outside, of a part of it, of one that is made inside, and of one's own transpose.
        double[] Run(bool captured)
        {
            var w = Tensor.Randn([64, 64], new Generator(1)).RequireGrad();
            var (whole, part) = (Tensor.Zeros(64, 64), Tensor.Zeros(64, 64));
            Tensor Loss(Tensor x, Tensor y)
            {
                whole.CopyFrom((x * w).Detach());
                part.Slice(1, 3, 20).Fill(0.5);
                part.Slice(0, 7, 9).CopyFrom(whole.Slice(0, 1, 9).Detach());
                part.CopyFrom(part.Transpose());
                var made = Tensor.Ones(64, 64);
                made.Slice(0, 5, 6).CopyFrom((x + 1).Slice(0, 0, 6));
                return (w * whole + w * part * made).Sum();
            }

            var step = CapturedStep.Create(Loss, [w]);
            var found = new List<double>();
            for (var call = 0; call < 6; call++)
            {
                var x = Tensor.Randn([64, 64], new Generator(2, (ulong)call));
                var (version, ofPart) = (whole.Version, part.Version);
                if (captured) found.Add(step.Run(x, None).Item());
                else
                {
                    w.ZeroGrad();
                    var loss = Loss(x, None);
                    loss.Backward();
                    found.Add(loss.Item());
                }
                Assert.True(whole.Version != version && part.Version != ofPart);
                foreach (var tensor in (Tensor[])[w.Grad!, whole, part])
                    found.AddRange(tensor.ToArray<float>().Select(value => (double)value));
                Disturb();
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. found];
        }

        Assert.Equal(Run(captured: false), Run(captured: true));
    }

    [Fact]
    public void A_refused_step_takes_back_what_it_wrote_in_place()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var count = Tensor.Zeros(3, 5);
        var step = CapturedStep.Create(
            (x, _) =>
            {
                count.Slice(1, 1, 1).CopyFrom(count.Slice(1, 1, 1).Detach() + 1);
                return (x * w).Sum() is var loss && loss.Item() > 0 ? loss : -loss;
            },
            [w], fallBackToEager: true);
        for (var call = 1; call < 5; call++)
        {
            step.Run(Ones, None);
            Assert.Equal([0, call, 0, 0, 0], count.ToArray<float>()[..5]);
        }
        Assert.NotNull(step.Refusal);
    }

    [Fact]
    public void A_gradient_of_the_replay_before_may_be_an_input()
    {
        // That of v is written before that of w reads the input.
        float[] Run(bool captured)
        {
            var (w, v) = (Leaf(1), Leaf(2));
            Tensor Loss(Tensor x, Tensor y) => ((x.MatMul(w) * 0.02).Tanh().MatMul(v).Tanh() * y).Sum();
            var step = CapturedStep.Create(Loss, [w, v]);
            var found = new List<float>();
            for (var call = 0; call < 7; call++)
            {
                var isOwn = call is 3 or 5;
                var (x, y) = (isOwn ? v.Grad! : Leaf(3).Detach(), call == 6 ? v.Grad! : Leaf(4).Detach());
                // Clearing gradients recycles them.
                if (!captured) (x, y) = (x.Clone(), y.Clone());
                if (captured) found.Add((float)step.Run(x, y).Item());
                else
                {
                    w.ZeroGrad();
                    v.ZeroGrad();
                    var loss = Loss(x, y);
                    loss.Backward();
                    found.Add((float)loss.Item());
                }
                found.AddRange([.. w.Grad!.ToArray<float>(), .. v.Grad!.ToArray<float>()]);
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. found];
        }

        Assert.Equal(Run(captured: false), Run(captured: true));
    }

    [Theory, InlineData(1, true), InlineData(3, true), InlineData(1, false), InlineData(3, false)]
    public void An_input_that_the_step_writes_in_place_is_refused_or_runs_eagerly(int from, bool isX)
    {
        var w = Leaf(1);
        (CapturedStep Step, Tensor Buffer) Make(bool fallBackToEager)
        {
            var buffer = Tensor.Ones(64, 64);
            return (CapturedStep.Create(
                (x, y) =>
                {
                    buffer.CopyFrom(buffer * 0.5);
                    return (x * y * w).Sum();
                },
                [w], fallBackToEager), buffer);
        }

        var ((strict, ofStrict), (lenient, ofLenient)) = (Make(false), Make(true));
        Tensor Run(CapturedStep step, Tensor input) => isX ? step.Run(input, Ones) : step.Run(Ones, input);
        var expected = 1.0f;
        for (var call = 0; call < 6; call++)
        {
            expected /= 2;
            var isOwn = call >= from;
            Run(lenient, isOwn ? ofLenient.Reshape(4096).Reshape(64, 64) : Ones);
            Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(isOwn ? expected : 1, value));
            Assert.Equal(expected, ofLenient.ItemAt(0, 0));
            if (!isOwn)
            {
                Run(strict, Ones);
                continue;
            }
            var before = ofStrict.ToArray<float>();
            var message = Assert.Throws<CaptureException>(() => Run(strict, ofStrict)).Message;
            Assert.Contains(".Clone() of it", message, StringComparison.Ordinal);
            Assert.Equal(before, ofStrict.ToArray<float>());
        }
    }

    [Fact]
    public void Inputs_that_gradients_would_flow_through_are_refused_or_run_eagerly()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var strict = CapturedStep.Create((a, _) => (a * w).Sum(), [v, w]);
        for (var call = 0; call < 3; call++) strict.Run(Tensor.Ones(64, 64), None);
        string Refusal(Tensor x) => Assert.Throws<CaptureException>(() => strict.Run(x, None)).Message;
        Assert.Contains("requires a gradient", Refusal(v * 2), StringComparison.Ordinal);
        Assert.Contains("requires a gradient", Refusal(v), StringComparison.Ordinal);
        var lenient = CapturedStep.Create((a, _) => (a * w).Sum(), [v, w], fallBackToEager: true);
        for (var call = 0; call < 4; call++)
        {
            lenient.Run(v * 2, None);
            Assert.All(v.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
            lenient.Run(Tensor.Ones(64, 64), None);
            Assert.Null(v.Grad);
        }
        Assert.True(lenient.IsCaptured);
        using (new NoGrad()) Assert.Throws<AdjointException>(() => lenient.Run(Tensor.Ones(64, 64), None));
        var spoilt = Tensor.Full([64, 64], double.NaN);
        using (new AnomalyMode()) Assert.Throws<AnomalyException>(() => lenient.Run(spoilt, None));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(3)]
    public void A_tensor_kept_from_a_captured_step_never_shows_stale_numbers(int size)
    {
        var w = Tensor.Ones(size, size).RequireGrad();
        Tensor? kept = null, part = null;
        var step = CapturedStep.Create(
            (a, _) => (part = (kept = (a * w).Sigmoid()).MatMul(w).Sum() * 2) + w.Square().Sum(), [w]);
        step.Run(Tensor.Ones(size, size), None);
        _ = kept!.ToArray<float>();
        for (var call = 0; call < 3; call++)
        {
            var loss = step.Run(Tensor.Full([size, size], call), None);
            foreach (var tensor in (Tensor[])[kept, part!])
            {
                var error = Assert.Throws<AdjointException>(() => tensor.ToArray<float>());
                Assert.Contains("inside a captured step", error.Message, StringComparison.Ordinal);
            }
            Assert.Equal(1, loss.Item() / (2 * size * size * size / (1 + Math.Exp(-call)) + size * size), 1e-5);
        }
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

    [Fact]
    public void Views_with_gaps_are_joined_in_a_captured_step()
    {
        var w = Tensor.Randn([8, 6], new Generator(1)).RequireGrad();
        Tensor Of(Tensor x) => (Tensor.Concat([w.Transpose(), x.Transpose()], 1) * 2).Square().Sum();
        var step = CapturedStep.Create((x, _) => Of(x), [w]);
        for (var call = 0; call < 4; call++)
        {
            var x = Tensor.Randn([8, 6], new Generator((ulong)call));
            var expected = Of(x);
            Assert.Equal(expected.Item(), step.Run(x, None).Item());
            Assert.Equal(Differentiation.Gradients(expected, [w])[0]!.ToArray<float>(), w.Grad!.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_random_program_gives_the_eager_bits_with_constants_foreign_leaves_and_collections_in_between()
    {
        var seed = Environment.TickCount;
        for (var round = 0; round < 25; round++)
            RandomProgram.Check(seed + round);
    }

    private static Tensor Leaf(ulong seed) => Tensor.Randn([64, 64], new Generator(seed)).RequireGrad();

    /// <summary>Lets finalizers run, and writes over whatever memory is free.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Disturb()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        foreach (var size in (int[])[1024, 2048, 3000, 4096, 8192, 65536])
            GC.KeepAlive(Enumerable.Range(0, 8).Select(_ => Tensor.Full([size], 1001.0)).ToArray());
    }

    private sealed class Halved : Layer
    {
        private readonly Layer inner;

        public Halved(Layer inner) => this.inner = AddChild("inner", inner);

        protected override Tensor ForwardCore(Tensor x) => inner.Forward(x * Tensor.Full(x.Shape, 0.5));
    }

    private sealed class Disturbing : Callback
    {
        public override void OnStep(Trainer trainer, StepInfo step) => Disturb();
    }

    // A user's op whose gradient is made of plain numbers.
    private sealed class PlainSlope : Op
    {
        public override string Name => "PlainSlope";
        public override string Formula => "y = Σ 2x";
        public override string Derivation => "∂L/∂x = 2";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(default, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Primitives.Fill(2), output);

        public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
            [Tensor.From(Enumerable.Repeat(2f, node.Inputs[0].Length).ToArray(), 64, 64)];
    }

    // A user's op with a scratch tensor that it adds into.
    private sealed class AddsUp(bool isUpdate = false) : Op
    {
        public override string Name => "AddsUp";
        public override string Formula => "y = x + 1";
        public override string Derivation => "∂L/∂x = g";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
        {
            var total = Tensor.Ones(64, 64);
            if (isUpdate) Backend.Run(new Primitives.ParameterUpdate<Ascend>(), inputs[0], total);
            else Backend.Run(new Primitives.Zip<Accumulate.Operator>(), total, inputs[0], total);
            Backend.Run(new Primitives.Copy(), total, output);
        }

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];

        private readonly struct Ascend : Adjoint.Kernels.IUpdateRule
        {
            public static int States => 0;
            public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, Adjoint.Kernels.ILanes<V> =>
                w += g;
        }
    }
}

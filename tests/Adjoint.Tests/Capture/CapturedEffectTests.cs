using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Primitives;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>What a function changes besides memory, and numbers that are asked for anew: captured as eager.</summary>
public class CapturedEffectTests
{
    private static float[] Values(params IEnumerable<Tensor?> tensors) =>
        [.. tensors.SelectMany(tensor => tensor?.Detach().ToArray<float>() ?? [float.NaN])];

    private static Tensor Batch(int call, params int[] shape) =>
        Tensor.Randn(Shape.Create(shape), new Generator(3, (ulong)call));

    /// <summary>Runs what <paramref name="make"/> gives eagerly and captured, and compares all that is seen.</summary>
    private static void Same(Func<bool, Func<int, IEnumerable<object?>>> make, int calls = 12)
    {
        var (eager, captured) = (make(false), make(true));
        for (var call = 0; call < calls; call++)
            Assert.Equal(Flat(eager(call)), Flat(captured(call)));

        static object?[] Flat(IEnumerable<object?> seen) =>
            [.. seen.SelectMany(one => one is float[] all ? all.Cast<object?>() : [one])];
    }

    [Fact]
    public void An_average_of_parameters_of_one_length_is_the_eager_one() => Same(captured =>
    {
        var model = new Sequential(new Linear(64, 64, bias: false, generator: new Generator(1)),
            new Linear(64, 64, bias: false, generator: new Generator(2)));
        var optimizer = new Sgd(model.Parameters(), 0.1);
        var average = new WeightAverage(model, 0.9);
        Tensor Step(Tensor x)
        {
            optimizer.ZeroGrad();
            var loss = model.Forward(x).Square().Mean();
            loss.Backward();
            optimizer.Step();
            average.Update();
            return loss;
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x));
        return call => [Values(captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64))),
            Values(average.StateDict().Where(e => e.Key != "steps").Select(e => e.Value))];
    });

    [Fact]
    public void A_number_read_before_its_memory_is_written_is_the_eager_one() => Same(captured =>
    {
        var w = Batch(77, 50_000);
        Tensor Step(Tensor x)
        {
            var y = x * w[..1];
            w.CopyFrom(y);
            return y;
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x));
        return call => [Values(captured ? plan.Run(Batch(call, 50_000)) : Step(Batch(call, 50_000)), w)];
    });

    [Fact]
    public void Flags_of_gradients_are_set_as_eagerly() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        Tensor On(Tensor x)
        {
            w.RequireGrad(true);
            w.ZeroGrad();
            var loss = x.MatMul(w).Square().Mean();
            loss.Backward();
            return loss;
        }
        Tensor Off(Tensor x)
        {
            w.RequireGrad(false);
            return x.MatMul(w).Mean();
        }
        var optimizer = new Sgd([w], 0.1);
        var (on, off) = (CapturedFunction.Create((Tensor x) => On(x)), CapturedFunction.Create((Tensor x) => Off(x)));
        return call =>
        {
            var x = Batch(call, 8, 64);
            var a = captured ? on.Run(x) : On(x);
            var flagA = w.RequiresGrad;
            optimizer.Step();
            var b = captured ? off.Run(x) : Off(x);
            return [Values(a, b, w, w.Grad), flagA, w.RequiresGrad];
        };
    });

    [Fact]
    public void Toggled_flags_toggle_at_each_call() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        Tensor Step(Tensor x)
        {
            w.RequireGrad(!w.RequiresGrad);
            return x.MatMul(w).Mean();
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x));
        return call => [Values(captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64))), w.RequiresGrad];
    });

    [Fact]
    public void Modes_of_modules_are_set_as_eagerly() => Same(captured =>
    {
        var model = new Sequential(new Linear(64, 64, generator: new Generator(1)), new Dropout(0.5, new Generator(5)));
        Tensor Train(Tensor x) { model.Train(); return model.Forward(x); }
        Tensor Use(Tensor x) { model.Eval(); return model.Forward(x); }
        var on = CapturedFunction.Create((Tensor x) => Train(x));
        var off = CapturedFunction.Create((Tensor x) => Use(x));
        return call =>
        {
            var x = Batch(call, 8, 64);
            var a = captured ? on.Run(x) : Train(x);
            var b = model.Forward(x);
            var c = captured ? off.Run(x) : Use(x);
            return [Values(a, b, c, model.Forward(x)), model.IsTraining];
        };
    });

    [Fact]
    public void Rates_set_inside_are_those_of_the_call() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        var optimizer = new Sgd([w], 0.1);
        Tensor Step(Tensor x, double rate)
        {
            optimizer.Groups[0].LearningRate = rate;
            optimizer.ZeroGrad();
            var loss = x.MatMul(w).Square().Mean();
            loss.Backward();
            optimizer.Step();
            return loss;
        }
        var fast = CapturedFunction.Create((Tensor x) => Step(x, 0.1));
        var slow = CapturedFunction.Create((Tensor x) => Step(x, 0.001));
        return call =>
        {
            var x = Batch(call, 8, 64);
            var a = captured ? fast.Run(x) : Step(x, 0.1);
            var b = captured ? slow.Run(x) : Step(x, 0.001);
            return [Values(a, b, w), optimizer.LearningRate];
        };
    });

    [Fact]
    public void An_optimizer_made_inside_begins_anew_at_each_call() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        Tensor Step(Tensor x)
        {
            var fast = w.Detach().Clone().RequireGrad();
            var optimizer = new Adam([fast], 0.1);
            for (var i = 0; i < 2; i++)
            {
                optimizer.ZeroGrad();
                x.MatMul(fast).Square().Mean().Backward();
                optimizer.Step();
            }
            return x.MatMul(fast).Mean();
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x), fallBackToEager: true);
        return call => [Values(captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64)))];
    });

    [Fact]
    public void An_average_made_inside_begins_anew_at_each_call() => Same(captured =>
    {
        var model = new Linear(64, 64, generator: new Generator(1));
        Tensor Step(Tensor x)
        {
            var average = new WeightAverage(model, 0.9);
            average.Update();
            using (new NoGrad()) model.Parameters().First().CopyFrom(x);
            average.Update();
            return average.StateDict().First().Value;
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x), fallBackToEager: true);
        return call => [Values(captured ? plan.Run(Batch(call, 64, 64)) : Step(Batch(call, 64, 64)))];
    });

    [Fact]
    public void The_gradient_of_an_input_is_a_result_and_not_in_the_callers_tensor()
    {
        var w = Batch(77, 64, 64).RequireGrad();
        (Tensor, Tensor) Step(Tensor x)
        {
            x.RequireGrad();
            var loss = x.MatMul(w).Square().Mean();
            loss.Backward();
            return (loss, x.Grad!);
        }

        var plan = CapturedFunction.Create((Tensor x) => Step(x));
        var same = Batch(0, 8, 64);
        var gradient = Values(Step(Batch(0, 8, 64)).Item2);
        for (var call = 0; call < 5; call++)
        {
            Assert.Equal(gradient, Values(plan.Run(same).Item2));
            Assert.False(same.RequiresGrad);
            Assert.Null(same.Grad);
        }
        Assert.True(plan.IsCaptured);
    }

    [Fact]
    public void Hooks_run_in_the_order_of_the_call() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        Func<Tensor, Tensor?> a = g => g * 2, b = g => g + 1, c = g => g * 3;
        var (first, second) = (w.RegisterHook(a), w.RegisterHook(b));
        Tensor Step(Tensor x)
        {
            w.ZeroGrad();
            var loss = x.MatMul(w).Square().Mean();
            loss.Backward();
            return loss;
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x), fallBackToEager: true);
        return call =>
        {
            var y = captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64));
            if (call == 5)
            {
                first.Dispose();
                second.Dispose();
                w.RegisterHook(c);
                w.RegisterHook(b);
            }
            return [Values(y, w.Grad)];
        };
    });

    [Fact]
    public void A_gradient_taken_away_stays_readable() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        Tensor Step(Tensor x)
        {
            w.Grad = null;
            return x.MatMul(w).Mean();
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x), fallBackToEager: true);
        return call =>
        {
            w.Square().Sum().Backward();
            var held = w.Grad;
            var y = captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64));
            return [Values(y, held, w.Grad)];
        };
    });

    [Fact]
    public void A_failing_replay_leaves_what_the_failing_function_leaves() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        var optimizer = new Sgd([w], 0.1);
        Tensor Step(Tensor x, Tensor index)
        {
            w.ZeroGrad();
            x.MatMul(w).Square().Mean().Backward();
            var loss = x.MatMul(w).IndexSelect(0, index).Square().Mean();
            loss.Backward();
            return loss;
        }
        var plan = CapturedFunction.Create((Tensor x, Tensor i) => Step(x, i));
        return call =>
        {
            var (x, index) = (Batch(call, 8, 64), Tensor.From(new[] { 0L, call % 4 == 3 ? 9 : 1 }));
            if (call % 3 == 2) w.ZeroGrad();
            float[] seen;
            try { seen = Values(captured ? plan.Run(x, index) : Step(x, index)); }
            catch (AdjointException) { seen = []; }
            optimizer.Step();
            return [seen, Values(w, w.Grad)];
        };
    });

    [Fact]
    public void A_failing_replay_moves_versions_on()
    {
        var w = Batch(77, 64, 64);
        var v = Batch(78, 64, 64).RequireGrad();
        var plan = CapturedFunction.Create((Tensor x, Tensor index) =>
        {
            w.CopyFrom(x);
            return x.IndexSelect(0, index);
        });
        var good = Tensor.From(new[] { 0L, 1 });
        for (var i = 0; i < 3; i++) plan.Run(Batch(i, 64, 64), good);
        var loss = (w * v).Sum();
        Assert.Throws<AdjointException>(() => plan.Run(Batch(9, 64, 64), Tensor.From(new[] { 0L, 99 })));
        Assert.Throws<AdjointException>(() => loss.Backward());
    }

    [Fact]
    public void A_swap_outside_is_refused_as_eagerly()
    {
        var model = new Linear(64, 64, generator: new Generator(1));
        var average = new WeightAverage(model, 0.9);
        var plan = CapturedFunction.Create((Tensor x) => { average.Update(); return x * 2; });
        for (var i = 0; i < 3; i++) plan.Run(Batch(i, 64));
        using var _ = average.Swap();
        Assert.Throws<AdjointException>(() => plan.Run(Batch(9, 64)));
    }

    [Fact]
    public void A_state_loaded_inside_is_loaded_at_each_call() => Same(captured =>
    {
        var w = Batch(77, 64, 64).RequireGrad();
        var optimizer = new Adam([w], 0.1);
        w.Square().Sum().Backward();
        optimizer.Step();
        var state = optimizer.StateDict().ToDictionary(e => e.Key, e => e.Value.Clone().Keep());
        Tensor Step(Tensor x)
        {
            optimizer.LoadStateDict(state);
            optimizer.ZeroGrad();
            var loss = x.MatMul(w).Square().Mean();
            loss.Backward();
            optimizer.Step();
            return loss;
        }
        var plan = CapturedFunction.Create((Tensor x) => Step(x), fallBackToEager: true);
        return call =>
            [Values(captured ? plan.Run(Batch(call, 8, 64)) : Step(Batch(call, 8, 64)), w), optimizer.StepCount];
    });
}

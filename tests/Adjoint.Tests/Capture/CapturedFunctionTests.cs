using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>Functions of any number of tensors, against the same function called as it is.</summary>
public class CapturedFunctionTests
{
    private static Tensor Batch(int rows, int call) => Tensor.Randn([rows, 12], new Generator(3, (ulong)call));

    private static Tensor Labels(int rows, int call) =>
        Tensor.From(Enumerable.Range(0, rows).Select(i => (i * 7L + call) % 5).ToArray());

    private static float[] Bits(IEnumerable<Tensor> tensors) =>
        [.. tensors.SelectMany(tensor => tensor.ToArray<float>())];

    /// <summary>
    /// A step on batches of which each third is smaller, captured or not: all that can be seen of it.
    /// </summary>
    private static List<float> Train(
        bool captured, Func<Sequential, Optimizer, Func<Tensor, Tensor, (Tensor, Tensor)>> step,
        Action<int, Sequential, Optimizer>? between = null, Func<IEnumerable<Tensor>, Optimizer>? optimizer = null)
    {
        var random = new Generator(1);
        var model = new Sequential(
            new Linear(12, 40, generator: random), new Gelu(), new Dropout(0.3, new Generator(2)),
            new Linear(40, 5, generator: random));
        var own = optimizer?.Invoke(model.Parameters()) ?? new AdamW(model.Parameters(), 0.01);
        var function = step(model, own);
        var plan = CapturedFunction.Create(function);
        var seen = new List<float>();
        for (var call = 0; call < 30; call++)
        {
            var rows = call % 3 == 2 ? 9 : 32;
            var (x, y) = (Batch(rows, call), Labels(rows, call));
            var (loss, logits) = captured ? plan.Run(x, y) : function(x, y);
            seen.AddRange([.. loss.Detach().ToArray<float>(), .. logits.Detach().ToArray<float>()]);
            seen.AddRange(Bits(model.Parameters()));
            seen.AddRange(Bits(model.Parameters().Select(parameter => parameter.Grad).OfType<Tensor>()));
            seen.AddRange([own.StepCount,
                .. Bits(own.StateDict().Values.Where(state => state.DType == DType.Float32))]);
            between?.Invoke(call, model, own);
            if (call % 7 == 6) GC.Collect();
        }
        Assert.Equal(captured, plan.IsCaptured);
        if (captured) Assert.Null(plan.Refusal);
        return seen;
    }

    private static Func<Tensor, Tensor, (Tensor, Tensor)> WholeStep(Sequential model, Optimizer optimizer) => (x, y) =>
    {
        optimizer.ZeroGrad();
        var logits = model.Forward(x);
        var loss = Loss.CrossEntropy(logits, y);
        loss.Backward();
        optimizer.Step();
        return (loss, logits);
    };

    [Theory, InlineData("sgd"), InlineData("momentum"), InlineData("nesterov"), InlineData("rmsprop"),
        InlineData("adam"), InlineData("adamw")]
    public void A_whole_step_has_the_eager_bits_and_the_optimisers_state(string kind)
    {
        Optimizer Of(IEnumerable<Tensor> parameters) => kind switch
        {
            "sgd" => new Sgd(parameters, 0.1, weightDecay: 0.01),
            "momentum" => new Sgd(parameters, 0.1, momentum: 0.9),
            "nesterov" => new Sgd(parameters, 0.1, momentum: 0.9, nesterov: true),
            "rmsprop" => new RmsProp(parameters, 0.001),
            "adam" => new Adam(parameters, 0.01, weightDecay: 0.1),
            _ => new AdamW(parameters, 0.01),
        };
        Assert.Equal(Train(false, WholeStep, optimizer: Of), Train(true, WholeStep, optimizer: Of));
    }

    [Fact]
    public void Rates_of_a_schedule_and_a_loaded_state_are_those_of_the_call()
    {
        IReadOnlyDictionary<string, Tensor>? kept = null;
        void Between(int call, Sequential model, Optimizer optimizer)
        {
            optimizer.LearningRate = 0.01 * Schedule.Cosine(30).Factor(call);
            if (call == 10)
                kept = optimizer.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
            if (call == 20) optimizer.LoadStateDict(kept!);
        }

        Assert.Equal(Train(false, WholeStep, Between), Train(true, WholeStep, Between));
    }

    [Fact]
    public void An_average_of_weights_is_part_of_a_step()
    {
        var averages = new List<WeightAverage>();
        Func<Tensor, Tensor, (Tensor, Tensor)> Averaged(Sequential model, Optimizer optimizer)
        {
            var (average, whole) = (new WeightAverage(model, 0.9), WholeStep(model, optimizer));
            averages.Add(average);
            return (x, y) =>
            {
                var results = whole(x, y);
                average.Update();
                return results;
            };
        }

        Assert.Equal(Train(false, Averaged), Train(true, Averaged));
        Assert.Equal(30, averages[0].Steps);
        Assert.Equal(
            averages[0].StateDict().Values.SelectMany(AsFloats), averages[1].StateDict().Values.SelectMany(AsFloats));

        static float[] AsFloats(Tensor tensor) => tensor.To(DType.Float32).ToArray<float>();
    }

    [Fact]
    public void Gradients_add_up_over_calls_where_nobody_clears_them()
    {
        // Cleared and stepped outside at every fourth call.
        static Func<Tensor, Tensor, (Tensor, Tensor)> Accumulate(Sequential model, Optimizer optimizer) => (x, y) =>
        {
            var logits = model.Forward(x);
            var loss = Loss.CrossEntropy(logits, y) / 4;
            loss.Backward();
            return (loss, logits);
        };
        static void Between(int call, Sequential model, Optimizer optimizer)
        {
            if (call % 4 != 3) return;
            optimizer.Step();
            optimizer.ZeroGrad();
        }

        Assert.Equal(Train(false, Accumulate, Between), Train(true, Accumulate, Between));
    }

    [Fact]
    public void Micro_batches_and_layers_frozen_meanwhile_are_part_of_a_step()
    {
        static Func<Tensor, Tensor, (Tensor, Tensor)> Step(Sequential model, Optimizer optimizer) => (x, y) =>
        {
            optimizer.ZeroGrad();
            var losses = new List<Tensor>();
            for (var part = 0; part < 3; part++)
            {
                var (from, count) = (part * x.Shape[0] / 3, x.Shape[0] / 3);
                var loss = Loss.CrossEntropy(model.Forward(x.Slice(0, from, count)), y.Slice(0, from, count)) / 3;
                loss.Backward();
                losses.Add(loss.Detach());
            }
            optimizer.Step();
            // The teacher does not learn, and is in use.
            Tensor teacher;
            foreach (var parameter in model.Parameters()) parameter.RequireGrad(false);
            using (model.InUse()) teacher = model.Forward(x);
            foreach (var parameter in model.Parameters()) parameter.RequireGrad();
            return (losses[0] + losses[1] + losses[2], teacher);
        };
        Assert.Equal(Train(false, Step), Train(true, Step));
    }

    [Fact]
    public void Inference_with_any_results_is_captured_with_and_without_NoGrad()
    {
        var model = new Mlp(12, [300, 300], 5, "relu", new Generator(1));
        model.Eval();
        (Tensor, Tensor, Tensor) Compute(Tensor x)
        {
            var logits = model.Forward(x);
            return (logits, logits.ArgMax(1), x);
        }

        var function = CapturedFunction.Create(Compute);
        for (var call = 0; call < 12; call++)
        {
            var x = Batch(call % 2 == 0 ? 64 : 17, call);
            var (logits, best, same) = call < 6 ? function.Run(x) : Within(() => function.Run(x));
            var (expected, _, _) = Compute(x);
            Assert.Equal(expected.Detach().ToArray<float>(), logits.ToArray<float>());
            Assert.Equal(expected.Detach().ArgMax(1).ToArray<long>(), best.ToArray<long>());
            Assert.Equal(x.ToArray<float>(), same.ToArray<float>());
            Assert.False(logits.RequiresGrad);
        }
        Assert.Equal(4, function.Plans);

        static T Within<T>(Func<T> compute)
        {
            using var _ = new NoGrad();
            return compute();
        }
    }

    [Fact]
    public void Results_stay_as_they_were_whatever_is_replayed_after_them()
    {
        var w = Tensor.Randn([12, 12], new Generator(1)).RequireGrad();
        var function = CapturedFunction.Create((Tensor x) => (x.MatMul(w), w));
        var results = Enumerable.Range(0, 6).Select(call => function.Run(Batch(40, call))).ToArray();
        var weights = w.ToArray<float>();
        using (new NoGrad()) w.Fill(0);
        function.Run(Batch(40, 9));
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal(Batch(40, call).MatMul(Tensor.From<float>(weights, 12, 12)).ToArray<float>(),
                results[call].Item1.ToArray<float>());
            Assert.Equal(weights, results[call].Item2.ToArray<float>());
        }
    }

    [Fact]
    public void Numbers_that_change_are_arguments()
    {
        var w = Tensor.Randn([12, 5], new Generator(1)).RequireGrad();
        Tensor Penalised(Tensor x, Tensor y, Tensor weight, Tensor temperature)
        {
            w.ZeroGrad();
            var loss = Loss.CrossEntropy(x.MatMul(w) / temperature, y) + weight * w.Square().Sum();
            loss.Backward();
            return loss;
        }

        var function = CapturedFunction.Create(Penalised);
        for (var call = 0; call < 8; call++)
        {
            var (weight, temperature) = (Tensor.Scalar(0.1 * call), Tensor.Scalar(1 + call));
            var expected = Penalised(Batch(32, call), Labels(32, call), weight, temperature).Item();
            var gradient = w.Grad!.ToArray<float>();
            Assert.Equal(expected, function.Run(Batch(32, call), Labels(32, call), weight, temperature).Item());
            Assert.Equal(gradient, w.Grad!.ToArray<float>());
        }
        Assert.Equal(1, function.Plans);
    }

    [Fact]
    public void Any_number_of_inputs_and_none()
    {
        var generator = new Generator(5);
        var draw = CapturedFunction.Create(() => Tensor.Randn([100], generator) * 2);
        var other = new Generator(5);
        for (var call = 0; call < 5; call++)
            Assert.Equal((Tensor.Randn([100], other) * 2).ToArray<float>(), draw.Run().ToArray<float>());
        Assert.True(draw.IsCaptured);

        var sum = CapturedFunction.Create((Tensor[] all) => new[] { all.Aggregate((a, b) => a + b), all[^1] * 2 });
        for (var call = 0; call < 9; call++)
        {
            Tensor[] all = [.. Enumerable.Range(0, 2 + call % 3).Select(i => Batch(50, i + call))];
            var results = sum.Run(all);
            Assert.Equal(all.Aggregate((a, b) => a + b).ToArray<float>(), results[0].ToArray<float>());
            Assert.Equal((all[^1] * 2).ToArray<float>(), results[1].ToArray<float>());
        }
        Assert.Equal(3, sum.Plans);
        var error = Assert.Throws<AdjointException>(() => draw.Run(Batch(1, 1)));
        Assert.Equal("CapturedFunction: it takes 0 tensors: found 1", error.Message);
        Assert.Contains("a tuple of two to four", Assert.Throws<AdjointException>(
            () => CapturedFunction.Create((Tensor x) => x.Length)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_within_another_is_part_of_it()
    {
        var w = Tensor.Randn([12, 12], new Generator(1));
        var inner = CapturedFunction.Create((Tensor x) => x.MatMul(w).Relu());
        var outer = CapturedFunction.Create((Tensor x) => inner.Run(inner.Run(x)));
        for (var call = 0; call < 5; call++)
        {
            var x = Batch(40, call);
            Assert.Equal(x.MatMul(w).Relu().MatMul(w).Relu().ToArray<float>(), outer.Run(x).ToArray<float>());
        }
        Assert.True(outer.IsCaptured);
    }

    [Fact]
    public void A_refusal_leaves_everything_as_it_was_and_the_eager_step_goes_on()
    {
        static Func<Tensor, Tensor, (Tensor, Tensor)> Step(Sequential model, Optimizer optimizer)
        {
            var whole = WholeStep(model, optimizer);
            return (x, y) =>
            {
                var (loss, logits) = whole(x, y);
                return double.IsNaN(loss.Item()) ? (loss, loss) : (loss, logits);
            };
        }

        float[] Run(bool captured)
        {
            var random = new Generator(1);
            var model = new Sequential(new Linear(12, 40, generator: random), new Dropout(0.5, new Generator(2)),
                new Linear(40, 5, generator: random));
            var optimizer = new Adam(model.Parameters(), 0.01);
            var function = Step(model, optimizer);
            var plan = CapturedFunction.Create(function, fallBackToEager: true);
            for (var call = 0; call < 5; call++)
                _ = captured
                    ? plan.Run(Batch(32, call), Labels(32, call))
                    : function(Batch(32, call), Labels(32, call));
            Assert.Equal(captured, plan.Refusal?.Contains("between operations", StringComparison.Ordinal) == true);
            return [.. Bits(model.Parameters()), .. Bits(model.Parameters().Select(parameter => parameter.Grad!)),
                optimizer.StepCount];
        }

        Assert.Equal(Run(false), Run(true));
    }

    [Fact]
    public void A_refusal_gives_back_the_gradients_that_it_cleared_or_added_to()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var function = CapturedFunction.Create((Tensor x) =>
        {
            w.ZeroGrad();
            var loss = (x * w * v).Sum();
            loss.Backward();
            return loss * loss.Item();
        });
        function.Run(Tensor.Ones(64, 64));
        var (ofW, ofV) = (w.Grad, v.Grad);
        Assert.Throws<CaptureException>(() => function.Run(Tensor.Full([64, 64], 3)));
        Assert.Same(ofW, w.Grad);
        Assert.Same(ofV, v.Grad);
        Assert.All([.. w.Grad!.ToArray<float>(), .. v.Grad!.ToArray<float>()], value => Assert.Equal(1, value));
    }

    [Fact]
    public void What_changes_at_each_call_is_named_and_runs_eagerly()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var optimizer = new Sgd([w], 0.5);
        Tensor Decayed(Tensor x)
        {
            w.ZeroGrad();
            // Computes with the rate itself, which is another at each call.
            var loss = (x * w).Sum() * optimizer.LearningRate;
            loss.Backward();
            return loss;
        }

        var function = CapturedFunction.Create(Decayed, fallBackToEager: true);
        for (var call = 0; call < 20; call++)
        {
            optimizer.LearningRate = 1.0 / (call + 1);
            Assert.Equal(Decayed(Tensor.Ones(64, 64)).Item(), function.Run(Tensor.Ones(64, 64)).Item());
        }
        Assert.Contains("a learning rate or weight decay", function.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_that_are_added_to_and_then_cleared_are_named_with_the_remedy()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        Tensor Attacked(Tensor x)
        {
            var at = x.Clone().RequireGrad();
            (at * w).Square().Sum().Backward(); // of w, too, on top of what was there
            w.ZeroGrad();
            var loss = ((x + at.Grad!.Sign()) * w).Square().Sum();
            loss.Backward();
            return loss;
        }

        Tensor Input(int call) => Batch(64, call)[.., ..1];
        var expected = Enumerable.Range(0, 10).Select(call => Attacked(Input(call)).Item()).ToArray();
        var function = CapturedFunction.Create(Attacked, fallBackToEager: true);
        Assert.Equal(expected, Enumerable.Range(0, 10).Select(call => function.Run(Input(call)).Item()));
        Assert.EndsWith(
            "the gradient of a leaf (64, 64) that it begins with; call ZeroGrad() before the first Backward() of it",
            function.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_of_the_function_comes_through_and_leaves_readable_gradients()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var mustFail = false;
        var function = CapturedFunction.Create((Tensor x) =>
        {
            w.ZeroGrad();
            (x * w).Sum().Backward();
            return mustFail ? throw new InvalidOperationException("mine") : w.Sum();
        });
        function.Run(Tensor.Ones(64, 64));
        mustFail = true;
        Assert.Equal(
            "mine", Assert.Throws<InvalidOperationException>(() => function.Run(Tensor.Full([64, 64], 2))).Message);
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
        mustFail = false;
        for (var call = 0; call < 3; call++) function.Run(Tensor.Full([64, 64], 3));
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(3, value));
        Assert.True(function.IsCaptured);
    }

    [Fact]
    public void More_shapes_in_turn_than_plans_replay_those_that_have_one()
    {
        var w = Tensor.Randn([12, 5], new Generator(1));
        var function = CapturedFunction.Create((Tensor x) => x.MatMul(w));
        void Run(int rows) =>
            Assert.Equal(
                Batch(rows, rows).MatMul(w).ToArray<float>(), function.Run(Batch(rows, rows)).ToArray<float>());

        for (var call = 0; call < 100; call++) Run(20 + call % 10);
        Assert.Equal((8, 8L, 64L), (function.Plans, function.Report.Recorded, function.Report.Replayed));
        Assert.Contains("pass fewer kinds of inputs", function.Refusal, StringComparison.Ordinal);
        Run(20);
        Assert.Null(function.Refusal);
        // Shapes that come no more make room.
        for (var call = 0; call < 100; call++) Run(50);
        Assert.Equal(9, function.Report.Recorded);
    }

    [Fact]
    public void Gradients_that_the_function_scales_itself_are_part_of_it()
    {
        static Func<Tensor, Tensor, (Tensor, Tensor)> Step(Sequential model, Optimizer optimizer) => (x, y) =>
        {
            optimizer.ZeroGrad();
            var logits = model.Forward(x);
            var loss = Loss.CrossEntropy(logits, y);
            (loss * 1024).Backward();
            foreach (var parameter in model.Parameters()) parameter.Grad = parameter.Grad! / 1024;
            optimizer.Step();
            return (loss, logits);
        };
        Assert.Equal(Train(false, Step), Train(true, Step));
    }

    [Fact]
    public void An_optimiser_that_is_made_inside_is_refused_by_name()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        float[] Train(Func<Func<Tensor, Tensor>, Func<Tensor, Tensor>> wrap)
        {
            using (new NoGrad()) w.Fill(1);
            w.ZeroGrad();
            var step = wrap(x =>
            {
                var optimizer = new Adam([w], 0.1);
                optimizer.ZeroGrad();
                (x * w).Square().Sum().Backward();
                optimizer.Step();
                return w.Sum();
            });
            for (var call = 0; call < 6; call++) step(Tensor.Full([64], call - 2.5));
            return w.ToArray<float>();
        }

        CapturedFunction<Tensor>? function = null;
        var captured = Train(step =>
        {
            function = CapturedFunction.Create(step, fallBackToEager: true);
            return x => function.Run(x);
        });
        Assert.Equal(Train(step => step), captured);
        Assert.StartsWith("Adam is made inside", function!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Plans_of_one_function_share_what_lives_only_within_a_replay()
    {
        var model = new Mlp(12, [512, 512], 5, "relu", new Generator(1));
        model.Eval();
        var function = CapturedFunction.Create((Tensor x) => model.Forward(x).Sum(0));
        void Run(int rows)
        {
            for (var call = 0; call < 3; call++) function.Run(Batch(rows, call));
        }

        Run(256);
        var one = function.PlannedBytes;
        for (var rows = 255; rows > 249; rows--) Run(rows);
        Assert.Equal(7, function.Plans);
        Assert.InRange(function.PlannedBytes, one, one * 3 / 2);
        for (var rows = 100; rows < 120; rows++) Run(rows);
        Assert.Equal(CapturedFunction<Tensor>.MostPlans, function.Plans);
    }
}

using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>Whole steps, the optimizer among them, have the bits of the eager ones.</summary>
public class CapturedWholeStepTests
{
    public static TheoryData<string> Optimizers() => OptimizerCases.Names();

    [Theory, MemberData(nameof(Optimizers))]
    public void A_whole_step_has_the_eager_bits_and_the_optimizers_state(string name)
    {
        var create = OptimizerCases.Named(name).Create;
        var eager = Train(false, WholeStep, optimizer: create);
        Assert.DoesNotContain(eager, value => !float.IsFinite(value));
        Assert.Equal(eager, Train(true, WholeStep, optimizer: create));
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
            using (model.EvalScope()) teacher = model.Forward(x);
            foreach (var parameter in model.Parameters()) parameter.RequireGrad();
            return (losses[0] + losses[1] + losses[2], teacher);
        };
        Assert.Equal(Train(false, Step), Train(true, Step));
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

    internal static Tensor Batch(int rows, int call) => Tensor.Randn([rows, 12], new Generator(3, (ulong)call));

    internal static Tensor Labels(int rows, int call) =>
        Tensor.From(Enumerable.Range(0, rows).Select(i => (i * 7L + call) % 5).ToArray());

    internal static float[] Bits(IEnumerable<Tensor> tensors) =>
        [.. tensors.SelectMany(tensor => tensor.ToArray<float>())];

    internal static Func<Tensor, Tensor, (Tensor, Tensor)> WholeStep(Sequential model, Optimizer optimizer) => (x, y) =>
    {
        optimizer.ZeroGrad();
        var logits = model.Forward(x);
        var loss = Loss.CrossEntropy(logits, y);
        loss.Backward();
        optimizer.Step();
        return (loss, logits);
    };

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
}

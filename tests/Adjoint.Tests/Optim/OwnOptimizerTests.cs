using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Optim;

namespace Adjoint.Tests.Optim;

/// <summary>Optimizers that users write, against the same rule as a loop over float64.</summary>
public class OwnOptimizerTests : IDisposable
{
    private const int Steps = 12;
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // As long as a chunk of the threads, and more: whole vectors and a rest.
    [Theory]
    [InlineData(DType.Float64, 1e-12), InlineData(DType.Float32, 1e-5)]
    public void A_rule_runs_over_groups_and_passes_by_frozen_parameters(DType type, double tolerance)
    {
        var random = new Generator(5);
        var parameters = new[] { 1, 37, 16384 + 5 }
            .Select(size => Tensor.Randn([size], random, type).RequireGrad()).ToArray();
        var expected = parameters.Select(Values).ToArray();
        var (moments, counts) = (expected.Select(w => new double[w.Length]).ToArray(), new int[3]);
        ParameterGroup[] groups = [new([parameters[0]], 0.1, 0.5), new([.. parameters[1..]], 0.02)];
        var optimizer = new Decaying(groups, beta: 0.75);
        for (var step = 0; step < Steps; step++)
        {
            groups[1].LearningRate = 0.02 + 0.01 * step;
            parameters[1].RequireGrad(step is < 4 or > 6);
            optimizer.ZeroGrad();
            foreach (var parameter in parameters)
                if (parameter.RequiresGrad) (parameter - 1).Square().Sum().Backward();
            optimizer.Step();
            for (var i = 0; i < 3; i++)
            {
                if (!parameters[i].RequiresGrad) continue;
                var rate = (i == 0 ? 0.1 : 0.02 + 0.01 * step) / Math.Sqrt(++counts[i]);
                for (var j = 0; j < expected[i].Length; j++)
                {
                    var g = 2 * (expected[i][j] - 1) + (i == 0 ? 0.5 : 0) * expected[i][j];
                    moments[i][j] = 0.75 * moments[i][j] + g;
                    expected[i][j] -= rate * moments[i][j];
                }
            }
        }
        for (var i = 0; i < 3; i++)
            foreach (var (value, found) in expected[i].Zip(Values(parameters[i])))
                Assert.Equal(value, found, tolerance);
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_one_that_never_stopped()
    {
        var (through, first) = New();
        for (var step = 0; step < 8; step++) Train(through, first);
        var (stopped, second) = New();
        for (var step = 0; step < 5; step++) Train(stopped, second);
        var path = Path.Combine(folder, "state.safetensors");
        SafeTensors.Save(path, second.StateDict());
        Assert.Equal(["0.0", "1.0", "1.steps", "steps"], second.StateDict().Keys.Order());
        var (resumed, third) = New();
        for (var i = 0; i < 2; i++) resumed[i].CopyFrom<float>(stopped[i].ToArray<float>());
        third.LoadStateDict(SafeTensors.Load(path));
        Assert.Equal(5, third.StepCount);
        for (var step = 5; step < 8; step++) Train(resumed, third);
        for (var i = 0; i < 2; i++) Assert.Equal(through[i].ToArray<float>(), resumed[i].ToArray<float>());

        static (Tensor[], Decaying) New()
        {
            Tensor[] all = [Tensor.Full([5], 3).RequireGrad(), Tensor.Full([7], 2).RequireGrad()];
            return (all, new Decaying([new(all, 0.1, 0.01)], 0.9));
        }

        // The second has its first gradient in the third step.
        static void Train(Tensor[] parameters, Decaying optimizer)
        {
            optimizer.ZeroGrad();
            foreach (var parameter in parameters[..(optimizer.StepCount < 2 ? 1 : 2)])
                parameter.Pow(3).Sum().Backward();
            optimizer.Step();
        }
    }

    [Fact]
    public void A_rule_without_states_knows_the_steps_of_the_optimizer()
    {
        var w = Tensor.Zeros([3], DType.Float64).RequireGrad();
        var optimizer = new Slowing([new([w], 1)]);
        var expected = 0.0;
        for (var step = 1; step <= 4; step++)
        {
            w.Grad = Tensor.Full([3], 1, DType.Float64);
            optimizer.Step();
            expected -= 1 / Math.Sqrt(step);
        }
        Assert.All(w.ToArray<double>(), value => Assert.Equal(expected, value, 1e-15));
        Assert.Equal(["steps"], optimizer.StateDict().Keys);
        var resumed = new Slowing([new([w], 1)]);
        resumed.LoadStateDict(optimizer.StateDict());
        w.Grad = Tensor.Full([3], 1, DType.Float64);
        resumed.Step();
        Assert.All(w.ToArray<double>(), value => Assert.Equal(expected - 1 / Math.Sqrt(5), value, 1e-15));
    }

    // LARS (You et al. 2017) without its constant: the rate of a parameter is ‖w‖ / ‖g‖; with momentum.
    [Fact]
    public void A_rule_that_needs_a_norm_is_written_in_ops()
    {
        var (w, random) = (Tensor.Randn([6, 5], new Generator(3), DType.Float64).RequireGrad(), new Generator(4));
        var (expected, v) = (w.ToArray<double>(), new double[30]);
        var optimizer = new Lars([new([w], 0.1)]);
        for (var step = 0; step < Steps; step++)
        {
            // Not contiguous: the gradient as it comes from a transposed product.
            var g = Tensor.Randn([5, 6], random, DType.Float64).Transpose();
            optimizer.ZeroGrad();
            w.Grad = g;
            optimizer.Step();
            Assert.Null(w.Source);
            var plain = g.ToArray<double>();
            var trust = Norm(expected) / Norm(plain);
            for (var i = 0; i < 30; i++)
            {
                v[i] = 0.9 * v[i] + trust * plain[i];
                expected[i] -= 0.1 * v[i];
            }
        }
        foreach (var (value, found) in expected.Zip(w.ToArray<double>())) Assert.Equal(value, found, 1e-12);
        foreach (var (value, found) in v.Zip(optimizer.StateDict()["0.0"].ToArray<double>()))
            Assert.Equal(value, found, 1e-12);

        static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));
    }

    // The rates change at step 6: a rule has that of the call, what ops compute with is recorded anew.
    [Theory, InlineData("rule"), InlineData("no states"), InlineData("ops")]
    public void A_step_is_part_of_a_captured_function(string kind)
    {
        var (eager, captured) = (Run(isCaptured: false), Run(isCaptured: true));
        Assert.Equal(eager.Keys, captured.Keys);
        foreach (var (name, value) in eager) Assert.Equal(value, captured[name]);

        SortedDictionary<string, float[]> Run(bool isCaptured)
        {
            var w = Tensor.Randn([30, 40], new Generator(1)).RequireGrad();
            ParameterGroup[] groups = [new([w], 0.01, 0.1)];
            Optimizer optimizer = kind switch
            {
                "rule" => new Decaying(groups, 0.9),
                "no states" => new Slowing(groups),
                _ => new Lars(groups),
            };
            Tensor Step(Tensor x)
            {
                optimizer.ZeroGrad();
                var loss = (x * w).Tanh().Square().Sum();
                loss.Backward();
                optimizer.Step();
                return loss;
            }

            var function = CapturedFunction.Create(Step);
            var found = new SortedDictionary<string, float[]>();
            for (var call = 0; call < 12; call++)
            {
                if (call == 6) optimizer.LearningRate = 0.03;
                var x = Tensor.Randn([30, 40], new Generator(2, (ulong)call));
                found[$"loss {call}"] = (isCaptured ? function.Run(x) : Step(x)).ToArray<float>();
                found[$"w {call}"] = w.ToArray<float>();
            }
            Assert.Equal(isCaptured, function.IsCaptured);
            Assert.Equal(12, optimizer.StepCount);
            foreach (var (name, value) in optimizer.StateDict())
                found[$"state {name}"] = value.To(DType.Float32).ToArray<float>();
            return found;
        }
    }

    [Fact]
    public void Settings_and_rules_that_cannot_be_are_refused_with_their_range()
    {
        var w = Tensor.Zeros(2).RequireGrad();
        Refused("Optimizer: beta 1.5 is outside its range; it must be finite, and beta is >= 0 and < 1",
            () => new Decaying([new([w], 1)], 1.5));
        Refused("beta NaN", () => new Decaying([new([w], 1)], double.NaN));
        w.Grad = Tensor.Ones(2);
        Refused("Hoarder.States must be 0, 1 (s) or 2 (s and t): found 3", () => new Hoarding([new([w], 1)]).Step());
        Refused("ParameterUpdate: takes 2 operands, results last: found 3",
            () => new Miscounting([new([w], 1)]).Step());
        Assert.Equal([0f, 0], w.ToArray<float>());

        static void Refused(string part, Action act) =>
            Assert.Contains(part, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);
    }

    private static double[] Values(Tensor tensor) => tensor.To(DType.Float64).ToArray<double>();

    // s = βs + g + λw; w −= ηs / √steps.
    internal sealed class Decaying(IEnumerable<ParameterGroup> groups, double beta)
        : Optimizer<Decaying.UpdateRule>(groups)
    {
        private readonly double beta = Require(beta, "beta", beta is >= 0 and < 1);

        protected override UpdateRule Rule(ParameterGroup group, int steps) =>
            new(group.LearningRate / Math.Sqrt(steps), group.WeightDecay, beta);

        internal readonly struct UpdateRule(double rate, double decay, double beta) : IUpdateRule
        {
            public static int States => 1;

            public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
            {
                s = V.Splat(beta) * s + g + V.Splat(decay) * w;
                w -= V.Splat(rate) * s;
            }
        }
    }

    private sealed class Slowing(IEnumerable<ParameterGroup> groups) : Optimizer<Slowing.UpdateRule>(groups)
    {
        protected override UpdateRule Rule(ParameterGroup group, int steps) =>
            new(group.LearningRate / Math.Sqrt(steps));

        internal readonly struct UpdateRule(double rate) : IUpdateRule
        {
            public static int States => 0;

            public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V> =>
                w -= V.Splat(rate) * g;
        }
    }

    private sealed class Lars(IEnumerable<ParameterGroup> groups) : Optimizer(groups)
    {
        protected override int StateCount => 1;

        protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient)
        {
            var v = Advance(parameter)[0];
            var trust = parameter.Square().Sum().Sqrt() / gradient.Square().Sum().Sqrt();
            v.CopyFrom(v * 0.9 + gradient * trust);
            parameter.CopyFrom(parameter - v * group.LearningRate);
        }
    }

    private sealed class Hoarding(IEnumerable<ParameterGroup> groups) : Optimizer<Hoarding.Hoarder>(groups)
    {
        protected override Hoarder Rule(ParameterGroup group, int steps) => default;

        internal readonly struct Hoarder : IUpdateRule
        {
            public static int States => 3;
            public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V> => w = g;
        }
    }

    // Says that it keeps one state, and applies a rule that keeps none.
    private sealed class Miscounting(IEnumerable<ParameterGroup> groups) : Optimizer(groups)
    {
        protected override int StateCount => 1;

        protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient) =>
            ApplyUpdate((_, _) => default(Slowing.UpdateRule), group, parameter, gradient);
    }
}

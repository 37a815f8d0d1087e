using Adjoint.Optim;

namespace Adjoint.Tests.Optim;

/// <summary>Parameters whose gradients come late, or in some steps only: each counts its own steps.</summary>
public class LateGradientTests
{
    // The third parameter is without a gradient in steps 3 to 5; the second before step 4.
    private const int Steps = 8;

    // PyTorch 1.13.1 (Debian's python3-torch), float64: two elements of each of the three parameters after eight steps.
    public static TheoryData<string, double[]> Goldens => new()
    {
        { "sgd", [.957772685947, .518926526119, .534594643741, -.400554141992, .431536679551, .243471179252] },
        { "momentum", [.838891774143, .451229173386, .422495940514, -.51407247749, .918714288728, 1.96265768183] },
        { "nesterov", [.81625944574, .440761628489, .430258517069, -.486410735513, 1.62962719917, 2.87340363207] },
        { "adam", [.673136145739, .293687480906, .51378408157, -.441416655246, -.392298066412, -.891049574084] },
        { "adamw", [.833313176778, .42374524557, .513644495146, -.537829159646, -.382660160655, -.868073052247] },
        { "rmsprop", [.155655097886, .139806721824, .659688539516, -.0537930060027, -.00423900056342, -.411104025185] },
        { "groups", [.865496086438, .440285943618, .460183337907, -.628259145057, -.32632810404, -.700537269693] },
    };

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Every_optimizer_has_the_values_of_PyTorch(string name, double[] expected)
    {
        var parameters = Parameters();
        var optimizer = New(name, parameters);
        for (var step = 1; step <= Steps; step++) Step(optimizer, parameters, step);
        AssertValues(expected, parameters);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void States_keep_the_steps_of_each_parameter(string name, double[] expected)
    {
        for (var stop = 1; stop < Steps; stop++)
        {
            var parameters = Parameters();
            var first = New(name, parameters);
            for (var step = 1; step <= stop; step++) Step(first, parameters, step);
            var second = New(name, parameters);
            second.LoadStateDict(first.StateDict());
            Assert.Equal(stop, second.StepCount);
            for (var step = stop + 1; step <= Steps; step++) Step(second, parameters, step);
            AssertValues(expected, parameters);
        }
    }

    [Fact]
    public void A_first_gradient_at_step_1000_moves_by_the_rate()
    {
        foreach (var isDecoupled in (bool[])[false, true])
        {
            var (early, late) = (Tensor.Zeros(1).RequireGrad(), Tensor.Zeros(1).RequireGrad());
            var optimizer = isDecoupled ? new AdamW([early, late], 0.1) : new Adam([early, late], 0.1);
            for (var step = 1; step <= 1000; step++)
            {
                optimizer.ZeroGrad();
                early.Grad = Tensor.Ones(1);
                if (step == 1000) late.Grad = Tensor.Ones(1);
                optimizer.Step();
            }
            Assert.Equal(-0.1f, late.ToArray<float>()[0], 1e-6f);
        }
    }

    [Fact]
    public void A_state_without_steps_of_its_own_is_as_old_as_the_optimizer()
    {
        // As 0.1 wrote it: every state by its index, and one number of steps.
        var (w, moments) = (Tensor.Zeros(1).RequireGrad(), Tensor.Full([1], 0.5));
        var adam = new Adam([w], 0.1);
        var steps = Tensor.Scalar(9, DType.Int64);
        adam.LoadStateDict(new Dictionary<string, Tensor> { ["steps"] = steps, ["0.0"] = moments, ["0.1"] = moments });
        w.Grad = Tensor.Ones(1);
        adam.Step();
        var (m, v) = (0.9 * 0.5 + 0.1, 0.999 * 0.5 + 0.001);
        var expected = -0.1 * (m / (1 - Math.Pow(0.9, 10))) / (Math.Sqrt(v / (1 - Math.Pow(0.999, 10))) + 1e-8);
        Assert.Equal(expected, w.ToArray<float>()[0], 1e-6);
        // What every parameter shares needs no number of its own: files read as before in both directions.
        Assert.Equal(["0.0", "0.1", "steps"], adam.StateDict().Keys.Order());
    }

    [Fact]
    public void Steps_stay_at_the_largest_number()
    {
        var w = Tensor.Ones(1).RequireGrad();
        var adam = new Adam([w], 0.1);
        adam.LoadStateDict(new Dictionary<string, Tensor>
        {
            ["steps"] = Tensor.Scalar(int.MaxValue, DType.Int64),
            ["0.0"] = Tensor.Zeros(1),
            ["0.1"] = Tensor.Zeros(1),
        });
        for (var step = 0; step < 2; step++)
        {
            w.Grad = Tensor.Zeros(1);
            adam.Step();
        }
        Assert.Equal(int.MaxValue, adam.StepCount);
        Assert.Equal(1, w.Item());
        new Adam([w], 0.1).LoadStateDict(adam.StateDict());
    }

    [Fact]
    public void A_state_of_another_optimizer_or_other_parameters_is_refused_whole()
    {
        var parameters = Parameters();
        var adam = New("adam", parameters);
        for (var step = 1; step <= 5; step++) Step(adam, parameters, step);
        var state = adam.StateDict();
        Refused("Sgd of 3 parameters has no state '0.0'", new Sgd(parameters, 1), state);
        Refused("Sgd of 3 parameters has no state '0.1'", new Sgd(parameters, 1, 0.9), state);
        Refused("Adam of 2 parameters has no state '2.0'", new Adam(parameters[..2]), state);
        Refused("state 0.1 must be (2,) float64: found none", new Adam(parameters), With("0.1", null));
        Refused("no entry 'steps'", new Adam(parameters), With("steps", null));
        var wide = Tensor.From([1.0, 2, 3]);
        Refused("state 0.0 must be (2,) float64: found (3,) float64", new Adam(parameters), With("0.0", wide));
        Tensor[] wrong = [Tensor.Scalar(-1, DType.Int64), Tensor.Scalar(1e15, DType.Int64), Tensor.Scalar(2), wide];
        foreach (var name in (string[])["steps", "1.steps"])
            foreach (var value in wrong)
                Refused($"state {name} must be a number of steps", new Adam(parameters), With(name, value));

        Dictionary<string, Tensor> With(string name, Tensor? value)
        {
            var copy = new Dictionary<string, Tensor>(state);
            copy.Remove(name);
            if (value is not null) copy[name] = value;
            return copy;
        }

        static void Refused(string part, Optimizer optimizer, IReadOnlyDictionary<string, Tensor> state)
        {
            var error = Assert.Throws<AdjointException>(() => optimizer.LoadStateDict(state));
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
            Assert.Equal(0, optimizer.StepCount);
        }
    }

    private static Tensor[] Parameters() =>
        [.. Enumerable.Range(0, 3).Select(p => Tensor.From([Math.Cos(p), Math.Cos(p + 1)]).RequireGrad())];

    private static Optimizer New(string name, Tensor[] all) => name switch
    {
        "sgd" => new Sgd(all, 0.05, weightDecay: 0.1),
        "momentum" => new Sgd(all, 0.05, momentum: 0.9, weightDecay: 0.1),
        "nesterov" => new Sgd(all, 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.1),
        "adam" => new Adam(all, 0.05, weightDecay: 0.1),
        "adamw" => new AdamW(all, 0.05, weightDecay: 0.1),
        "rmsprop" => new RmsProp(all, 0.05, weightDecay: 0.1),
        _ => new AdamW([new ParameterGroup(all[..1], 0.05), new ParameterGroup(all[1..], 0.1, 0.2)]),
    };

    private static void Step(Optimizer optimizer, Tensor[] parameters, int step)
    {
        optimizer.ZeroGrad();
        bool[] has = [true, step >= 4, step <= 2 || step >= 6];
        for (var p = 0; p < 3; p++)
            if (has[p]) parameters[p].Grad = Tensor.From([Gradient(p, 0), Gradient(p, 1)]);
        optimizer.Step();

        double Gradient(int p, int element) => Math.Sin(1.3 * step + 0.7 * p + 0.4 * element) * Math.Pow(10, p - 1);
    }

    private static void AssertValues(double[] expected, Tensor[] parameters)
    {
        var found = parameters.SelectMany(parameter => parameter.ToArray<double>()).ToArray();
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-10);
    }
}

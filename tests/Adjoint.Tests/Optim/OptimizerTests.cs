using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Optim;

/// <summary>What follows from each row of <see cref="OptimizerCases"/>, and what is special to one.</summary>
public class OptimizerTests
{
    private const int Count = 37;
    private const double Rate = 0.05;

    public static TheoryData<string> Names() => OptimizerCases.Names();

    [Fact]
    public void Every_optimizer_has_a_row()
    {
        var missing =
            from type in typeof(Optimizer).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(Optimizer)) && !type.IsAbstract
            where OptimizerCases.All.All(row => row.Name.Split(',')[0] != type.Name)
            select type.Name;
        Assert.True(!missing.Any(),
            $"{string.Join(", ", missing)}: add a row to tests/Adjoint.Tests/Optim/OptimizerCases.cs");
    }

    [Theory, MemberData(nameof(Names))]
    public void Steps_are_those_of_the_published_rule(string name)
    {
        var row = OptimizerCases.Named(name);
        var random = new Random(11);
        var expected = Enumerable.Range(0, Count).Select(_ => random.NextDouble() - 0.5).ToArray();
        var w = Tensor.From(expected).RequireGrad();
        var optimizer = row.Create([w]);
        var states = expected.Select(_ => new double[2]).ToArray();
        for (var step = 1; step <= 5; step++)
        {
            var gradient = expected.Select(_ => random.NextDouble() - 0.5).ToArray();
            optimizer.ZeroGrad();
            (w * Tensor.From(gradient)).Sum().Backward();
            optimizer.Step();
            for (var i = 0; i < Count; i++) row.Rule(step, ref expected[i], gradient[i], states[i]);
        }
        foreach (var (e, found) in expected.Zip(w.ToArray<double>())) Assert.Equal(e, found, 1e-12);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_loaded_state_goes_on_with_the_same_bits(string name)
    {
        var row = OptimizerCases.Named(name);
        static void Step(Tensor w, Optimizer optimizer)
        {
            optimizer.ZeroGrad();
            w.Pow(3).Sum().Backward();
            optimizer.Step();
        }

        var (w, copy) = (Tensor.Ones(5).RequireGrad(), Tensor.Ones(5).RequireGrad());
        var (optimizer, other) = (row.Create([w]), row.Create([copy]));
        for (var step = 0; step < 3; step++) Step(w, optimizer);
        copy.CopyFrom<float>(w.ToArray<float>());
        other.LoadStateDict(optimizer.StateDict());
        for (var step = 0; step < 3; step++)
        {
            Step(w, optimizer);
            Step(copy, other);
            Assert.Equal(w.ToArray<float>(), copy.ToArray<float>());
        }
    }

    [Fact]
    public void State_goes_on_where_it_was()
    {
        static (Tensor W, Adam Optimizer) New() => Tensor.Ones(5).RequireGrad() is var w
            ? (w, new Adam([w], Rate))
            : default;
        static void Step(Tensor w, Adam optimizer)
        {
            optimizer.ZeroGrad();
            w.Pow(3).Sum().Backward();
            optimizer.Step();
        }

        var (through, first) = New();
        for (var i = 0; i < 6; i++) Step(through, first);
        var (stopped, second) = New();
        for (var i = 0; i < 3; i++) Step(stopped, second);
        var (resumed, third) = New();
        resumed.CopyFrom<float>(stopped.ToArray<float>());
        third.LoadStateDict(second.StateDict());
        for (var i = 0; i < 3; i++) Step(resumed, third);
        Assert.Equal(through.ToArray<float>(), resumed.ToArray<float>());
    }

    [Fact]
    public void Clipping_limits_norm_and_value()
    {
        var w = Tensor.Zeros(2).RequireGrad();
        w.Grad = Tensor.From(new float[] { 3, 4 });
        Assert.Equal(5, ClipGradients.ByNorm([w], 1).Item(), 1e-6);
        Assert.Equal([0.6f, 0.8f], w.Grad.ToArray<float>());
        ClipGradients.ByValue([w], 0.7);
        Assert.Equal([0.6f, 0.7f], w.Grad.ToArray<float>());
    }

    [Fact]
    public void Schedules_follow_their_formulas()
    {
        Assert.Equal([1, 1, 0.5, 0.5, 0.25], Enumerable.Range(0, 5).Select(Schedule.StepDecay(2, 0.5).Factor));
        Assert.Equal(0.5, Schedule.Cosine(10).Factor(5), 1e-12);
        Assert.Equal(0, Schedule.Cosine(10).Factor(10), 1e-12);
        Assert.Equal([0.5, 1, 1], Enumerable.Range(0, 3).Select(Schedule.WarmUp(2, Schedule.Constant()).Factor));
        var cycle = Schedule.OneCycle(100);
        Assert.Equal(1 / 25.0, cycle.Factor(0), 1e-12);
        Assert.Equal(1, cycle.Factor(29), 1e-12);
        Assert.Equal(1 / 25.0 / 1e4, cycle.Factor(99), 1e-12);
        var w = Tensor.Zeros(1).RequireGrad();
        var sgd = new Sgd([w], 1);
        var plateau = new ReduceOnPlateau(sgd, 0.1, patience: 1);
        Assert.Equal([false, false, true], new[] { 1.0, 1, 1 }.Select(plateau.Observe));
        Assert.Equal(0.1, sgd.LearningRate, 1e-12);
    }

    [Fact]
    public void One_cycle_has_the_rates_of_PyTorch()
    {
        // PyTorch 1.13.1 (Debian's python3-torch), OneCycleLR with max_lr 1, in order: total_steps 20; total_steps 12,
        // pct_start 0.4, div_factor 10, final_div_factor 100.
        double[] plain =
        [
            0.04, 0.1316718427, 0.3716718427, 0.6683281573, 0.9083281573, 1, 0.9874640062, 0.950484632, 0.8909161776,
                0.8117456539,
            0.7169430018, 0.6112620219, 0.500002, 0.3887419781, 0.2830609982, 0.1882583461, 0.1090878224, 0.04951936799,
                0.01253999376, 4e-06,
        ];
        double[] other = [0.1, 0.2452232928, 0.5871607055, 0.9051132292, 0.9980992517, 0.9330796892, 0.78700143,
            0.5872372647, 0.371219887, 0.179427589, 0.04779926038, 0.001];
        foreach (var (expected, schedule) in new[] {
            (plain, Schedule.OneCycle(20)), (other, Schedule.OneCycle(12, 0.4, 10, 100)) })
            for (var step = 0; step < expected.Length; step++)
                Assert.Equal(expected[step], schedule.Factor(step), 1e-9);
    }

    [Fact]
    public void Schedules_give_a_rate_for_every_length_and_refuse_what_has_none()
    {
        for (var total = 1; total < 40; total++)
            foreach (var schedule in (Schedule[])[Schedule.OneCycle(total), Schedule.OneCycle(total, 0.1),
                Schedule.OneCycle(total, 0.5), Schedule.Triangular(total), Schedule.Cosine(total),
                Schedule.StepDecay(total)])
                for (var step = 0; step < total + 3; step++) Assert.InRange(schedule.Factor(step), 0, 1);
        foreach (var create in (Func<Schedule>[])[() => Schedule.OneCycle(0), () => Schedule.OneCycle(5, 1),
            () => Schedule.OneCycle(5, startDivisor: 0), () => Schedule.Triangular(0), () =>
            Schedule.Triangular(5, 0), () => Schedule.Cosine(0), () => Schedule.StepDecay(0)])
            Assert.Contains("must be", Assert.Throws<AdjointException>(create).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        var w = Tensor.Zeros(1).RequireGrad();
        Assert.Throws<AdjointException>(() => new Sgd([w], -1));
        Assert.Throws<AdjointException>(() => new Sgd([w], 1, momentum: 1));
        Assert.Throws<AdjointException>(() => new Sgd([w], 1, nesterov: true));
        Assert.Throws<AdjointException>(() => new Adam([w], double.NaN));
        Assert.Throws<AdjointException>(() => new Sgd([Tensor.Zeros(1)], 1));
    }

    [Fact]
    public void A_step_is_profiled_under_the_optimizers_name()
    {
        var parameters = new[] { Tensor.Ones(1000).RequireGrad(), Tensor.Ones(20, 50).RequireGrad() };
        foreach (var parameter in parameters) parameter.Square().Sum().Backward();
        var profile = new Profile();
        foreach (var optimizer in (Optimizer[])[new Sgd(parameters, Rate), new AdamW(parameters)])
        {
            // The first fills the moments with zeros.
            optimizer.Step();
            profile.Observe(optimizer.Step);
        }
        Assert.Equal(["AdamW", "Sgd"], profile.Rows.Select(row => row.Name).Order());
        // The gradient is read; the parameter and two moments, or the parameter alone, are read and written.
        foreach (var (name, arrays) in ((string, int)[])[("AdamW", 7), ("Sgd", 3)])
        {
            var row = profile.Rows.Single(row => row.Name == name);
            Assert.Equal((2, 0.0, arrays * 2 * 4000.0), (row.Operations, row.Flops, row.Bytes));
        }
    }

    [Fact]
    public void A_step_within_a_trace_is_no_cost_of_an_op()
    {
        var w = Tensor.Ones(3).RequireGrad();
        using var tracing = new Tracing();
        w.Square().Sum().Backward();
        new Sgd([w], Rate).Step();
        Assert.Equal(0, w.Reshape(1, 3).Source!.Trace!.Forward.Operations);
        new Sgd([w], Rate).Step();
        Assert.Equal(1, (w * 2).Source!.Trace!.Forward.Operations);
    }

    [Fact]
    public void A_step_is_a_write_in_place_to_parameter_and_states()
    {
        var w = Tensor.Ones(3).RequireGrad();
        w.Square().Sum().Backward();
        var adam = new Adam([w]);
        adam.Step();
        var all = (Tensor[])[w, adam.StateDict()["0.0"], adam.StateDict()["0.1"]];
        var versions = all.Select(tensor => tensor.Version).ToArray();
        adam.Step();
        Assert.Equal(versions.Select(version => version + 1), all.Select(tensor => tensor.Version));
    }

    [Fact]
    public void Biases_and_norms_do_not_decay_in_split_groups()
    {
        var (matrix, bias) = (Tensor.Ones(2, 2).RequireGrad(), Tensor.Ones(2).RequireGrad());
        var groups = ParameterGroup.Split([matrix, bias], 0.1, 0.5, biasRateFactor: 4);
        Assert.Equal((0.1, 0.5, 0.4, 0.0),
            (groups[0].LearningRate, groups[0].WeightDecay, groups[1].LearningRate, groups[1].WeightDecay));
        ((matrix * 0).Sum() + (bias * 0).Sum()).Backward();
        new Sgd(groups).Step();
        Assert.Equal(0.95f, matrix.ToArray<float>()[0], 1e-6f);
        Assert.Equal(1, bias.ToArray<float>()[0]);
    }

    [Fact]
    public void The_triangle_goes_up_and_down_in_straight_lines()
    {
        var schedule = Schedule.Triangular(100, riseFraction: 0.25, start: 0.2, end: 0.1);
        foreach (var (step, factor) in ((int, double)[])[(0, 0.2), (10, 0.52), (25, 1), (50, 0.7), (100, 0.1),
            (200, 0.1)])
            Assert.Equal(factor, schedule.Factor(step), 1e-12);
    }
}

using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Optim;

/// <summary>Rates keep their ratios, groups have their optimizer's decay, and frozen parameters are skipped.</summary>
public class ParameterGroupTests
{
    [Fact]
    public void Setting_the_learning_rate_keeps_the_ratios_of_the_groups()
    {
        var optimizer = New(0.1, 0.4, 0);
        optimizer.LearningRate = 0.2;
        AssertRates(optimizer, 0.2, 0.8, 0);
        optimizer.Groups[1].LearningRate = 0.1;
        optimizer.LearningRate = 0.4;
        AssertRates(optimizer, 0.4, 0.2, 0);
        // A rate of 0 has no ratio: the last one holds on, whoever set it to 0.
        optimizer.LearningRate = 0;
        AssertRates(optimizer, 0, 0, 0);
        optimizer.LearningRate = 1;
        AssertRates(optimizer, 1, 0.5, 0);
        foreach (var group in optimizer.Groups) group.LearningRate = 0;
        optimizer.LearningRate = 2;
        AssertRates(optimizer, 2, 1, 0);
    }

    [Fact]
    public void Rates_without_a_ratio_are_set_alike_or_not_at_all()
    {
        var idle = New(0, 0);
        idle.LearningRate = 0.1;
        AssertRates(idle, 0.1, 0.1);
        var mixed = New(0, 0.1);
        var error = Assert.Throws<AdjointException>(() => mixed.LearningRate = 0.2);
        Assert.Contains("no ratio to keep; set Groups[i].LearningRate", error.Message, StringComparison.Ordinal);
        AssertRates(mixed, 0, 0.1);
    }

    [Fact]
    public void Rates_out_of_range_are_refused_wherever_they_are_set()
    {
        var optimizer = New(0.1, 0.4);
        foreach (var wrong in (double[])[-1, double.NaN, double.PositiveInfinity])
        {
            Assert.Throws<AdjointException>(() => optimizer.LearningRate = wrong);
            Assert.Throws<AdjointException>(() => optimizer.Groups[0].LearningRate = wrong);
            Assert.Throws<AdjointException>(() => optimizer.Groups[1].WeightDecay = wrong);
            Assert.Throws<AdjointException>(() => new ParameterGroup([], 1, wrong));
        }
        Assert.Throws<AdjointException>(() => optimizer.LearningRate = 1e308);
        AssertRates(optimizer, 0.1, 0.4);
        Assert.Throws<AdjointException>(() => new Sgd(Array.Empty<ParameterGroup>()));
    }

    [Fact]
    public void Groups_without_a_decay_have_their_optimizers_default()
    {
        Tensor[] all = [.. Enumerable.Range(0, 3).Select(_ => Tensor.Ones(1).RequireGrad())];
        ParameterGroup[] groups = [new([all[0]], 0.1), new([all[1]], 0.1, 0), new([all[2]], 0.1, 1)];
        var adamW = new AdamW(groups);
        Assert.Equal([0.01, 0, 1], Decays(adamW));
        foreach (var parameter in all) parameter.Grad = Tensor.Zeros(1);
        adamW.Step();
        Assert.Equal([0.999f, 1, 0.9f], all.Select(parameter => parameter.ToArray<float>()[0]));
        Assert.Equal([0.3], Decays(new AdamW([New()], weightDecay: 0.3)));
        foreach (var optimizer in (Optimizer[])[new Sgd([New()]), new Adam([New()]), new RmsProp([New()])])
            Assert.Equal([0], Decays(optimizer));
        // What does not decay says so.
        var matrix = Tensor.Ones(2, 2).RequireGrad();
        Assert.Equal([0.2, 0], Decays(new AdamW(ParameterGroup.Split([matrix, all[0]], 0.1, 0.2))));

        static ParameterGroup New() => new([Tensor.Ones(1).RequireGrad()], 0.1);
        static IEnumerable<double> Decays(Optimizer optimizer) => optimizer.Groups.Select(group => group.WeightDecay);
    }

    [Fact]
    public void Frozen_parameters_are_skipped()
    {
        Func<IEnumerable<Tensor>, Optimizer>[] kinds =
            [all => new Sgd(all, 0.1, 0.9), all => new Adam(all), all => new AdamW(all), all => new RmsProp(all)];
        foreach (var create in kinds)
        {
            var random = new Generator(1);
            var (frozen, live) = (new Linear(2, 2, generator: random), new Linear(2, 2, generator: random));
            var model = new Sequential(frozen, live);
            frozen.Weight.RequireGrad(false);
            var optimizer = create(model.Parameters());
            var before = frozen.Weight.ToArray<float>();
            for (var step = 0; step < 3; step++) Train();
            Assert.Equal(before, frozen.Weight.ToArray<float>());
            // Frozen later, with a gradient from before; and free again.
            live.Weight.RequireGrad(false);
            var later = live.Weight.ToArray<float>();
            optimizer.Step();
            Assert.Equal(later, live.Weight.ToArray<float>());
            frozen.Weight.RequireGrad();
            Train();
            Assert.NotEqual(before, frozen.Weight.ToArray<float>());
            Assert.Equal(later, live.Weight.ToArray<float>());

            void Train()
            {
                optimizer.ZeroGrad();
                model.Forward(Tensor.Ones(1, 2)).Square().Sum().Backward();
                optimizer.Step();
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_trainer_trains_around_a_frozen_layer(bool eager)
    {
        var model = new Mlp(2, [8], 2, "relu", new Generator(1));
        var data = Synth.Create(seed: 1, train: 512, validation: 200);
        foreach (var parameter in model.Children[1].Value.Parameters()) parameter.RequireGrad(false);
        var before = model.Parameters().Select(parameter => parameter.ToArray<float>()).ToArray();
        var (training, validation) = (new DataLoader(data.Train, 64), new DataLoader(data.Validation, 200));
        var trainer = new Trainer(model, new Adam(model.Parameters(), 0.01), new ClassificationTask(), training,
            validation)
        { Eager = eager };
        trainer.Fit(2);
        var same = model.Parameters().Zip(before, (parameter, old) => parameter.ToArray<float>().SequenceEqual(old));
        Assert.Equal([true, true, false, false], same);
    }

    [Fact]
    public void A_group_that_names_no_decay_has_that_of_the_optimizer_it_is_given_to()
    {
        var group = new ParameterGroup([Tensor.Ones(1).RequireGrad()], 0.1);
        Assert.Equal(0, new Adam([group]).Groups[0].WeightDecay);
        Assert.Equal(0.01, new AdamW([group]).Groups[0].WeightDecay);
        group.WeightDecay = 0.5;
        Assert.Equal(0.5, new AdamW([group]).Groups[0].WeightDecay);
    }

    [Fact]
    public void What_is_no_parameter_is_refused_with_what_to_do()
    {
        var w = Tensor.Ones(2, 3).RequireGrad();
        Refused("(2,), which never required a gradient; call .RequireGrad() on it", Tensor.Zeros(2));
        Refused("never required a gradient", w.Detach());
        Refused("made by ", w * 2);
        Refused("a view with gaps", w.Detach().Transpose(0, 1).RequireGrad());

        static void Refused(string part, Tensor parameter)
        {
            var error = Assert.Throws<AdjointException>(() => new Sgd([parameter], 0.1));
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
    }

    private static Sgd New(params double[] rates) =>
        new(rates.Select(rate => new ParameterGroup([Tensor.Ones(1).RequireGrad()], rate)));

    private static void AssertRates(Optimizer optimizer, params double[] expected)
    {
        Assert.Equal(expected[0], optimizer.LearningRate);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], optimizer.Groups[i].LearningRate, 1e-15);
    }
}

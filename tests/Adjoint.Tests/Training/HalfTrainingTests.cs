using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>What is kept for parameters of half precision: states of optimizers and averages, in float32.</summary>
public class HalfTrainingTests
{
    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void An_average_of_half_precision_moves_and_swaps_back_to_the_bit(DType type)
    {
        var model = new Linear(3, 2, generator: new Generator(1)).To(type);
        foreach (var parameter in model.Parameters()) parameter.Fill(1);
        var average = new WeightAverage(model, 0.999);
        for (var step = 0; step < 10_000; step++) average.Update();
        foreach (var parameter in model.Parameters()) parameter.Fill(2);
        // Each step is a thousandth of what is missing: less than bfloat16 resolves.
        for (var step = 0; step < 100; step++) average.Update();
        var expected = 2 - Math.Pow(0.999, 100);
        Assert.Equal(DType.Float32, average.StateDict()["weight"].DType);
        Assert.Equal(expected, average.StateDict()["weight"].ItemAt(0, 0), 1e-5);
        var before = average.StateDict()["weight"].ToArray<float>();
        using (average.Swap())
            Assert.Equal(expected, model.Parameters().First().ItemAt(0, 0), type == DType.BFloat16 ? 4e-3 : 5e-4);
        Assert.Equal(2, model.Parameters().First().ItemAt(0, 0));
        Assert.Equal(before, average.StateDict()["weight"].ToArray<float>());
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void States_of_an_optimizer_are_float32_and_stay_when_the_model_is_converted(DType type)
    {
        var model = new Linear(3, 2, generator: new Generator(1));
        var optimizer = new Adam(model.Parameters(), 0.01);
        void Step(DType of)
        {
            optimizer.ZeroGrad();
            (model.Forward(Tensor.Ones(4, 3).To(of)) * 1e-5).Sum().Backward();
            optimizer.Step();
        }

        Step(DType.Float32);
        var states = optimizer.StateDict();
        var before = states["0.1"].ToArray<float>();
        model.To(type);
        Assert.Equal(before, optimizer.StateDict()["0.1"].ToArray<float>());
        Step(type);
        states = optimizer.StateDict();
        // The square of 4·10⁻⁵ would be 0 in float16.
        Assert.All(states["0.1"].ToArray<float>(), v => Assert.InRange(v, 3.1e-12f, 3.3e-12f));
        var other = new Adam(model.Parameters(), 0.01);
        other.LoadStateDict(states);
        Assert.Equal(states["0.0"].ToArray<float>(), other.StateDict()["0.0"].ToArray<float>());
        Assert.Equal(type, model.Parameters().First().DType);
    }

    [Fact]
    public void A_convolutional_network_converted_to_bfloat16_trains_in_it()
    {
        var model = new LeNetCifar(generator: new Generator(1)).To(DType.BFloat16);
        var optimizer = new AdamW(model.Parameters(), 0.002);
        var x = Tensor.Randn([16, 3, 32, 32], new Generator(2), DType.BFloat16);
        var labels = Tensor.From(Enumerable.Range(0, 16).Select(i => i % 10L).ToArray());
        var losses = new List<double>();
        for (var step = 0; step < 15; step++)
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(model.Forward(x), labels);
            loss.Backward();
            optimizer.Step();
            losses.Add(loss.Item());
        }
        Assert.InRange(losses[^1], 0, losses[0] / 2);
        Assert.All(model.Parameters(), parameter => Assert.Equal(DType.BFloat16, parameter.DType));
    }
}

using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Nn;

/// <summary>Initializers that users write, through every layer that takes one.</summary>
public class OwnInitializerTests
{
    [Fact]
    public void A_layer_asks_for_rows_of_its_fan_in_and_takes_the_values_as_they_are()
    {
        Check(random => new Linear(5, 3, initializer: random), [3, 5]);
        Check(random => new Conv1d(4, 6, 3, new() { Groups = 2, Initializer = random }), [6, 2, 3]);
        Check(random => new Conv2d(4, 6, new Size2(3, 2), new() { Groups = 2, Initializer = random }), [6, 2, 3, 2]);
        Check(random => new ConvTranspose2d(4, 6, 3, new() { Groups = 2, Initializer = random }), [4, 3, 3, 3]);

        static void Check(Func<Initializer, Module> create, int[] shape)
        {
            foreach (var isTransposed in (bool[])[false, true])
            {
                var initializer = new Counting(isTransposed);
                var module = create(initializer);
                Assert.Equal([(shape[0], shape[1..].Aggregate((a, b) => a * b))], initializer.Asked);
                var parameters = module.NamedParameters().ToDictionary(pair => pair.Name, pair => pair.Value);
                Assert.Equal(shape, parameters["weight"].Shape);
                Assert.True(parameters["weight"].IsContiguous);
                Assert.Equal(
                    Enumerable.Range(0, parameters["weight"].Length).Select(i => (float)i),
                    parameters["weight"].ToArray<float>());
                Assert.All(parameters["bias"].ToArray<float>(), value => Assert.Equal(0, value));
            }
        }
    }

    [Fact]
    public void A_network_hands_its_initializer_and_its_generator_on()
    {
        var initializer = new Counting(isTransposed: false);
        var generator = new Generator(1);
        var model = new Mlp(4, [8, 6], 3, "relu", generator, initializer);
        Assert.Equal([(8, 4), (6, 8), (3, 6)], initializer.Asked);
        Assert.All(initializer.Generators, used => Assert.Same(generator, used));
        Assert.Equal(3, model.Parameters().Count(parameter => parameter.Rank == 2));
    }

    [Fact]
    public void Layers_that_begin_with_the_same_tensor_do_not_share_it()
    {
        var values = Tensor.Full([2, 2], 5);
        var (first, second) = (new Linear(2, 2, initializer: new Given(values)),
            new Linear(2, 2, initializer: new Given(values)));
        first.Forward(Tensor.Ones(1, 2)).Sum().Backward();
        new Sgd(first.Parameters(), 1).Step();
        Assert.All(first.Weight.ToArray<float>(), value => Assert.Equal(4, value));
        foreach (var tensor in (Tensor[])[second.Weight, values])
            Assert.All(tensor.ToArray<float>(), value => Assert.Equal(5, value));
        Assert.Null(values.Grad);
        Assert.False(values.RequiresGrad);
    }

    [Fact]
    public void Values_that_do_not_fit_are_refused_by_the_name_of_their_initializer()
    {
        Refused("Given: an initializer must return (2, 3) float32: found (3, 2) float32", Tensor.Zeros(3, 2));
        Refused("found (2, 3) float64; cast with .To(DType.Float32)", Tensor.Zeros([2, 3], DType.Float64));
        Refused("found (6,) float32", Tensor.Zeros(6));
        Refused("found null", null!);

        static void Refused(string part, Tensor values) => Assert.Contains(
            part, Assert.Throws<AdjointException>(() => new Linear(3, 2, initializer: new Given(values))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Values_computed_from_parameters_have_no_history()
    {
        var other = new Linear(3, 2);
        var layer = new Linear(3, 2, initializer: new Given(other.Weight));
        Assert.Null(layer.Weight.Source);
        Assert.Equal(other.Weight.ToArray<float>(), layer.Weight.ToArray<float>());
        Assert.NotSame(other.Weight, layer.Weight);
    }

    // 0, 1, 2, … in row-major order, whatever the layout.
    private sealed class Counting(bool isTransposed) : Initializer
    {
        internal List<(int, int)> Asked { get; } = [];
        internal List<Generator> Generators { get; } = [];

        protected override Tensor Values(int outputs, int inputs, Generator generator)
        {
            Asked.Add((outputs, inputs));
            Generators.Add(generator);
            var values = Tensor.Arange(0, outputs * inputs).Reshape(outputs, inputs);
            return isTransposed ? values.Transpose().Contiguous().Transpose() : values;
        }
    }

    private sealed class Given(Tensor values) : Initializer
    {
        protected override Tensor Values(int outputs, int inputs, Generator generator) => values;
    }
}

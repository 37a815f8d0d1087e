using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class PositionsTests
{
    [Theory, InlineData(6), InlineData(5), InlineData(1)]
    public void Sinusoids_are_the_papers(int width)
    {
        var y = new SinusoidalPositions(300, width).Forward(Tensor.Zeros([2, 3, width], DType.Float64), 297);
        for (var t = 0; t < 3; t++)
            for (var i = 0; i < width; i++)
            {
                var angle = (297 + t) * Math.Pow(10000, -2.0 * (i / 2) / width);
                Assert.Equal(i % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle), y.ItemAt(1, t, i), 1e-12);
            }
        Assert.Equal(DType.BFloat16,
            new SinusoidalPositions(3, width).Forward(Tensor.Zeros([1, 3, width], DType.BFloat16)).DType);
    }

    [Fact]
    public void Learned_vectors_are_added_and_get_gradients()
    {
        var positions = new LearnedPositions(5, 2, new Generator(1));
        Assert.Equal(0.02, positions.Weight.Square().Mean().Sqrt().Item(), 0.015);
        var x = Tensor.Randn([2, 3, 2], new Generator(2)).RequireGrad();
        var y = positions.Forward(x, 1);
        Assert.Equal((x + positions.Weight[1..4]).ToArray<float>(), y.ToArray<float>());
        y.Sum().Backward();
        Assert.Equal([0, 0, 2, 2, 2, 2, 2, 2, 0, 0], positions.Weight.Grad!.ToArray<float>());
        Assert.All(x.Grad!.ToArray<float>(), g => Assert.Equal(1, g));
    }

    [Fact]
    public void A_sequence_longer_than_its_positions_is_refused()
    {
        AssertRefused("4 positions from 0 on are not among its 3, 0 to 2; use shorter sequences, or create it with "
            + "more positions", 4, 0);
        AssertRefused("2 positions from 2 on are not among its 3", 2, 2);
        AssertRefused("1 positions from -1 on are not among its 3", 1, -1);

        static void AssertRefused(string message, int t, int start)
        {
            var x = Tensor.Zeros(1, t, 2);
            Assert.Contains($"LearnedPositions: {message}",
                Assert.Throws<AdjointException>(() => new LearnedPositions(3, 2).Forward(x, start)).Message,
                StringComparison.Ordinal);
            Assert.Contains($"SinusoidalPositions: {message}",
                Assert.Throws<AdjointException>(() => new SinusoidalPositions(3, 2).Forward(x, start)).Message,
                StringComparison.Ordinal);
        }
    }
}

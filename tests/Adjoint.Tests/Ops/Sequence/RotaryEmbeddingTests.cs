using System.Globalization;

namespace Adjoint.Tests.Ops;

public class RotaryEmbeddingTests
{
    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Ops", "Goldens");

    [Fact]
    public void Values_are_those_of_NumPy_to_positions_of_a_million() =>
        Compare(File.ReadAllLines(Path.Combine(Goldens, "rotary.txt")));

    [Fact]
    public async Task The_golden_file_is_what_NumPy_says_today() =>
        Compare(await PyTorchScript.LinesOf(Path.Combine(Goldens, "rotary.py")));

    [Fact]
    public void Products_depend_on_the_distance_alone()
    {
        var random = new Generator(3);
        var (q, k) = (Tensor.Randn([1, 8], random, DType.Float64), Tensor.Randn([1, 8], random, DType.Float64));
        double At(long i, long j) => (q.RotaryEmbedding(Tensor.From([i])) * k.RotaryEmbedding(Tensor.From([j]))).Sum()
            .Item();
        Assert.Equal(At(3, 1), At(1_000_002, 1_000_000), 1e-9);
        Assert.NotEqual(At(3, 1), At(3, 0), 1e-3);
    }

    [Fact]
    public void Heads_of_a_projection_are_read_where_they_lie()
    {
        // (n, t, 3, h, d): the queries of each head are every third run of a row.
        var all = Tensor.Randn([2, 5, 3, 4, 6], new Generator(1), DType.Float64);
        var view = all.Select(2, 1).Transpose(1, 2);
        var positions = Naive.Integers(10, 1000, 5);
        Assert.False(view.IsContiguous);
        Assert.Equal(view.Contiguous().RotaryEmbedding(positions).ToArray<double>(),
            view.RotaryEmbedding(positions).ToArray<double>());
        // Features that do not lie side by side are copied first.
        var turned = Tensor.Randn([6, 5], new Generator(2), DType.Float64).Transpose();
        Assert.Equal(turned.Contiguous().RotaryEmbedding(positions[0]).ToArray<double>(),
            turned.RotaryEmbedding(positions[0]).ToArray<double>());
    }

    [Fact]
    public void Captured_its_positions_move()
    {
        var captured = CapturedFunction.Create((Tensor x, Tensor positions) => x.RotaryEmbedding(positions));
        for (var call = 0; call < 4; call++)
        {
            var (x, positions) = (Tensor.Randn([3, 4], new Generator((ulong)call)),
                Tensor.Arange(call, call + 3, 1, DType.Int64));
            Assert.Equal(x.RotaryEmbedding(positions).ToArray<float>(), captured.Run(x, positions).ToArray<float>());
        }
        Assert.True(captured.IsCaptured);
    }

    private static void Compare(string[] lines)
    {
        Assert.Equal(6, lines.Length);
        foreach (var line in lines)
        {
            string[] parts = line.Split(" | "), words = parts[0].Split(' ');
            long[] positions = [.. parts[1].Split(' ').Select(long.Parse)];
            double[] expected = [.. parts[2].Split(' ').Select(x => double.Parse(x, CultureInfo.InvariantCulture))];
            var (theta, width) = (int.Parse(words[1], CultureInfo.InvariantCulture),
                expected.Length / positions.Length);
            var x = Tensor.From<double>([.. expected.Select((_, i) => Math.Sin(0.7 * i + 1))], positions.Length, width);
            var y = x.RotaryEmbedding(Tensor.From(positions), theta, words[0] == "interleaved");
            foreach (var (wanted, got) in expected.Zip(y.ToArray<double>())) Assert.Equal(wanted, got, 1e-9);
            var narrow = x.To(DType.Float32).RotaryEmbedding(Tensor.From(positions), theta, words[0] == "interleaved");
            foreach (var (wanted, got) in expected.Zip(narrow.ToArray<float>())) Assert.Equal(wanted, got, 1e-6);
        }
    }
}

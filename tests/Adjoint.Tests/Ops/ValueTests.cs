using Adjoint.Kernels;

namespace Adjoint.Tests.Ops;

/// <summary>Values of every row of <see cref="OpCases"/>, in every type, length and layout, by its reference.</summary>
public class ValueTests
{
    private const int Seed = 5;

    // A driver's piece for one thread.
    private const int Chunk = 16_384;

    public static TheoryData<string, DType> Rows() => OpCases.Typed();

    public static TheoryData<string> Names() => OpCases.Names();

    public static TheoryData<string, DType> Elementwise() => OpCases.Typed((row, _) => row.IsElementwise);

    [Theory, MemberData(nameof(Rows))]
    public void Value_is_that_of_the_reference(string name, DType type)
    {
        var row = OpCases.Named(name);
        var x = row.Tensors(type);
        Closeness.Check(row, type, row.Expected(type, [.. x.Select(Values)]), row.Call(x));
    }

    [Theory, MemberData(nameof(Names))]
    public void Types_that_a_row_does_not_take_are_refused_by_name(string name)
    {
        var row = OpCases.Named(name);
        foreach (var type in OpCase.AnyType.Except(row.Types))
        {
            var error = Assert.Throws<AdjointException>(() => row.Call(row.Tensors(type)));
            Assert.Contains(type.Label(), error.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Transposed_views_give_the_same_bits_as_copies(string name, DType type)
    {
        var row = OpCases.Named(name);
        var plain = row.Tensors(type);
        var views = Array.ConvertAll(plain, x => x.Rank < 2 ? x : x.Transpose().Clone().Transpose());
        Assert.Equal(Bits(row.Call(plain)), Bits(row.Call(views)));
    }

    // All lengths up to two vectors and one element, and those around a chunk; contiguous, and every second element.
    [Theory, MemberData(nameof(Elementwise))]
    public void Every_length_gives_the_value_of_the_reference(string name, DType type)
    {
        var row = OpCases.Named(name);
        if (!row.RoundsOnce && type is DType.BFloat16 or DType.Float16) return;
        var random = new Random(Seed);
        var vector = Math.Max(1, Simd.Width / 8 / type.Size());
        int[] lengths = [.. Enumerable.Range(0, 2 * vector + 2), 1037, Chunk - 1, Chunk, Chunk + 1];
        var all = Array.ConvertAll(row.Shapes, _ => Draw(row, type, random, Chunk + 1));
        var every = Array.ConvertAll(all, Layouts.Spread);
        var expected = row.Expected(type, [.. all.Select(Values)]);
        foreach (var length in lengths)
            foreach (var x in (Tensor[][])[all, every])
            {
                var found = row.Call([.. x.Select(one => one.Slice(0, 0, length))]);
                Closeness.Check(row, type, expected[..length], found, halfUnits: 0.51);
            }
    }

    [Theory, MemberData(nameof(Elementwise))]
    public void Every_way_to_broadcast_gives_the_value_of_the_reference(string name, DType type)
    {
        var row = OpCases.Named(name);
        var random = new Random(Seed);
        foreach (var (left, right, result) in ((int[], int[], int[])[])
            [([], [], []), ([1], [1], [1]), ([1, 1], [], [1, 1]), ([5], [], [5]), ([], [5], [5]), ([1], [4], [4]),
                ([2, 1, 4], [3, 1], [2, 3, 4]), ([3, 1], [2, 1, 4], [2, 3, 4]), ([2, 3], [2, 3], [2, 3])])
        {
            int[][] shapes = row.Shapes.Length == 1 ? [left] : [left, right];
            var x = Array.ConvertAll(shapes, shape => Draw(row, type, random, Naive.Count(shape)).Reshape(shape));
            var shape = row.Shapes.Length == 1 ? left : result;
            var expected = row.Expected(type, [.. x.Select(one => Broadcast(Values(one), one.Shape, shape))]);
            var y = row.Call(x);
            Assert.Equal((Shape)shape, y.Shape);
            Closeness.Check(row, type, expected, y);
            // The same as views in which an element stands for many.
            Closeness.Check(row, type, expected, row.Call(Array.ConvertAll(x, one => one.Expand(shape))));
        }
    }

    // The elements that a shape has where it is broadcast to another, by counting.
    private static double[] Broadcast(double[] values, Shape from, int[] to)
    {
        var result = new double[Naive.Count(to)];
        for (var i = 0; i < result.Length; i++)
        {
            var (at, stride, rest) = (0, 1, i);
            for (var axis = to.Length - 1; axis >= 0; axis--)
            {
                var place = rest % to[axis];
                rest /= to[axis];
                var own = axis - (to.Length - from.Rank);
                if (own < 0) continue;
                if (from[own] > 1) at += place * stride;
                stride *= from[own];
            }
            result[i] = values[at];
        }
        return result;
    }

    private static Tensor Draw(OpCase row, DType type, Random random, int length)
    {
        var values = Enumerable.Range(0, length).Select(_ => random.NextDouble() * 4 - 2);
        values = type.IsFloating()
            ? values.Select(x => row.Domain?.Invoke(x) ?? x)
            : values.Select(x => 1 + Math.Floor(Math.Abs(x) * 50 % 3));
        return Tensor.From([.. values], length).To(type).Detach();
    }

    private static double[] Values(Tensor x) => x.To(DType.Float64).ToArray<double>();

    private static long[] Bits(Tensor x) => Array.ConvertAll(Values(x), BitConverter.DoubleToInt64Bits);
}

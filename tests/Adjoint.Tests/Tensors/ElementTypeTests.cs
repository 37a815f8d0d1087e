using System.Globalization;

namespace Adjoint.Tests.Tensors;

/// <summary>Elements of every type: from one to another, moved, compared, written and shown.</summary>
public class ElementTypeTests
{
    public static TheoryData<DType> Types => [.. Exactly.Types];

    public static TheoryData<DType, DType> Pairs => new(
        from x in Exactly.Types from y in Exactly.Types select (x, y));

    [Theory, MemberData(nameof(Pairs))]
    public void Casts_are_the_exact_ones(DType from, DType to)
    {
        var values = Values(from);
        var x = Exactly.Vector(from, values);
        object[] expected = [.. values.Select(value => Exactly.To(to, value))];
        foreach (var source in (Tensor[])[x, Layouts.Spread(x)])
            Exactly.Equal(expected, Exactly.Elements(source.To(to)), $"{from} to {to}");
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void All_65536_values_go_to_wider_types_and_back(DType type)
    {
        ushort[] bits = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        var x = type == DType.BFloat16
            ? Tensor.From(Array.ConvertAll(bits, BFloat16.FromBits))
            : Tensor.From(Array.ConvertAll(bits, BitConverter.UInt16BitsToHalf));
        foreach (var wide in (DType[])[DType.Float32, DType.Float64])
        {
            var there = x.To(wide);
            Exactly.Equal(Exactly.Elements(x), Exactly.Elements(there), $"{type} to {wide}");
            var back = Bits(there.To(type));
            for (var i = 0; i < bits.Length; i++)
                // A NaN keeps its sign, and is made quiet.
                if (double.IsNaN((double)Exactly.Elements(x[i..(i + 1)])[0]))
                    Assert.Equal(bits[i] | (type == DType.BFloat16 ? 0x40 : 0x200), back[i]);
                else Assert.Equal(bits[i], back[i]);
        }
        Assert.Equal(bits, Bits(x.Clone()));
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16), InlineData(DType.Float32)]
    public void Casts_round_once_around_every_middle(DType type)
    {
        var random = new Random(3);
        var values = new List<double>();
        for (var i = 0; i < 20_000; i++)
        {
            var one = Exactly.Rounded(type, Math.ScaleB(1 + random.NextDouble(), random.Next(-160, 130)));
            var next = Exactly.Rounded(
                type, Math.BitIncrement(one) * (1 + Math.ScaleB(1, type == DType.Float32 ? -23 : -7)));
            var middle = (one + next) / 2;
            values.AddRange([middle, Math.BitIncrement(middle), Math.BitDecrement(middle), -middle]);
        }
        object[] expected = [.. values.Select(value => Exactly.To(type, value))];
        Exactly.Equal(expected, Exactly.Elements(Tensor.From(values.ToArray()).To(type)), $"float64 to {type}");
        long[] whole = [.. values.Where(value => Math.Abs(value) is > 1 and < 9e18).SelectMany(value =>
            (long[])[(long)value, (long)value + 1, (long)value - 1])];
        expected = [.. whole.Select(value => Exactly.To(type, value))];
        Exactly.Equal(expected, Exactly.Elements(Tensor.From(whole).To(type)), $"int64 to {type}");
    }

    [Theory, MemberData(nameof(Types))]
    public void Elements_come_out_as_they_went_in(DType type)
    {
        var values = Values(type);
        var x = Exactly.Vector(type, values);
        Exactly.Equal(values, Exactly.Elements(x), "ToArray");
        Exactly.Equal(values, Exactly.Elements(x.Clone()), "Clone");
        Exactly.Equal(values, Exactly.Elements(Layouts.Spread(x)), "a view");
        Exactly.Equal(values, Exactly.Elements(Layouts.Spread(x).Contiguous()), "Contiguous");
        Exactly.Equal([.. values, .. values], Exactly.Elements(Tensor.Concat([x, x], 0)), "Concat");
        Exactly.Equal(values[3..5], Exactly.Elements(x[3..5]), "Slice");
        var target = Layouts.Spread(Tensor.Zeros([values.Length], type));
        target.CopyFrom(x);
        Exactly.Equal(values, Exactly.Elements(target), "CopyFrom");
        for (var i = 0; i < values.Length; i++)
            Exactly.Equal([Convert.ToDouble(values[i], CultureInfo.InvariantCulture)], [x.ItemAt(i)], "ItemAt");
        var square = x[..4].Reshape(2, 2);
        Exactly.Equal([values[0], values[2], values[1], values[3]],
            Exactly.Elements(square.Transpose(0, 1).Contiguous()), "Transpose");
        Exactly.Equal([values[3], values[1], values[1]],
            Exactly.Elements(x.IndexSelect(0, Tensor.From([3L, 1, 1]))), "IndexSelect");
        Exactly.Equal([values[1], values[2]],
            Exactly.Elements(square.Gather(1, Tensor.From([1L, 0], 2, 1))), "Gather");
        Exactly.Equal([values[2], values[3], values[0], values[1]],
            Exactly.Elements(square.Embedding(Tensor.From([1L, 0]))), "Embedding");
    }

    [Fact]
    public void Spans_and_single_elements_of_every_type()
    {
        Check<float>(1.5f, -2, 3);
        Check<double>(1.5, -2, 3);
        Check((BFloat16)1.5f, (BFloat16)(-2), (BFloat16)3);
        Check((Half)1.5f, (Half)(-2), (Half)3);
        Check<long>(long.MaxValue, -2, 3);
        Check<int>(int.MaxValue, -2, 3);
        Check<byte>(255, 2, 3);
        Check(true, false, true);
        Assert.Contains("no element type for Int16",
            Assert.Throws<AdjointException>(() => Tensor.From(new short[1])).Message, StringComparison.Ordinal);

        static void Check<T>(T a, T b, T c) where T : unmanaged
        {
            var x = Layouts.Spread(Tensor.From([c, b, a]));
            x.CopyFrom<T>([a, b, c]);
            var found = new T[3];
            x.CopyTo<T>(found);
            Assert.Equal([a, b, c], found);
            Assert.Equal(b, x[1].Item<T>());
            Assert.Equal(DTypes.Of<T>(), x.DType);
            Assert.Equal((T[])[a, b], Tensor.From(new[,] { { a }, { b } }).ToArray<T>());
            foreach (var type in Exactly.Types.Where(type => type != x.DType))
                Assert.Contains($"holds {type.Label()}, not {x.DType.Label()}; cast with .To(DType.{x.DType})",
                    Assert.Throws<AdjointException>(() => x.To(type).ToArray<T>()).Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Every_length_is_chosen_from_and_broadcast(DType type)
    {
        var random = new Random(11);
        foreach (var length in (int[])[0, 1, 15, 16, 17, 33, 1500])
        {
            var values = Values(type);
            object[] a = [.. Enumerable.Range(0, length).Select(_ => random.GetItems(values, 1)[0])];
            object[] b = [.. Enumerable.Range(0, length).Select(_ => random.GetItems(values, 1)[0])];
            bool[] which = [.. Enumerable.Range(0, length).Select(_ => random.Next(2) == 0)];
            var (x, y, condition) = (Exactly.Vector(type, a), Exactly.Vector(type, b), Tensor.From(which));
            object[] expected = [.. which.Select((first, i) => first ? a[i] : b[i])];
            Exactly.Equal(expected, Exactly.Elements(Tensor.Where(condition, x, y)), $"Where {length}");
            Exactly.Equal(expected, Exactly.Elements(Tensor.Where(condition, Layouts.Spread(x), y)), "Where of a view");
            if (length == 0) continue;
            expected = [.. which.Select((first, i) => first ? a[i] : b[0])];
            Exactly.Equal(expected, Exactly.Elements(Tensor.Where(condition, x, y[0])), "Where, broadcast");
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Comparisons_are_those_of_the_numbers(DType type)
    {
        var random = new Random(13);
        var values = Values(type);
        foreach (var length in (int[])[1, 16, 47, 1100])
        {
            object[] a = [.. Enumerable.Range(0, length).Select(_ => random.GetItems(values, 1)[0])];
            object[] b = [.. a.Select(value => random.Next(3) == 0 ? value : random.GetItems(values, 1)[0])];
            var (x, y) = (Exactly.Vector(type, a), Exactly.Vector(type, b));
            foreach (var (left, right) in ((Tensor, Tensor)[])[(x, y), (Layouts.Spread(x), y), (x, Layouts.Spread(y))])
            {
                Check(left.Less(right), order => order < 0);
                Check(left.LessOrEqual(right), order => order <= 0);
                Check(left.EqualTo(right), order => order == 0);
                Check(left.GreaterOrEqual(right), order => order >= 0);
                Check(left.Greater(right), order => order > 0);
            }

            void Check(Tensor found, Func<int?, bool> holds) =>
                Assert.Equal(a.Zip(b, (l, r) => holds(Order(l, r))), found.ToArray<bool>());
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Comparisons_with_a_number_are_exact_for_integers_and_rounded_for_others(DType type)
    {
        var values = Values(type);
        var x = Exactly.Vector(type, values);
        double[] numbers = [double.NaN, double.NegativeInfinity, double.PositiveInfinity, -1e300, 1e300, -1, -0.5, 0,
            1e-300, 0.1, 0.5, 1, 1.5, 254.5, 255, 255.5, 256, 2147483647, 2147483647.5, 2147483648, -2147483648.5,
            -2147483648, -2147483649, 9007199254740992, 9223372036854775808, -9223372036854775808];
        foreach (var number in numbers)
        {
            var rounded = type.IsFloating() ? Exactly.Rounded(type, number) : number;
            Check(x.Less(number), order => order < 0);
            Check(x.LessOrEqual(number), order => order <= 0);
            Check(x.EqualTo(number), order => order == 0);
            Check(x.GreaterOrEqual(number), order => order >= 0);
            Check(x.Greater(number), order => order > 0);

            void Check(Tensor found, Func<int?, bool> holds) => Assert.True(
                values.Select(value => holds(Order(value, rounded))).SequenceEqual(found.ToArray<bool>()), $"{number}");
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Numbers_fill_and_count_rounded_to_the_type(DType type)
    {
        foreach (var value in (double[])[0, 1, 0.1, -0.5, 1.9, -2.9, 255.9, 256, 300, 1e10, -1e10, 1e19, -1e19, 1e39,
            double.NaN, double.PositiveInfinity, double.NegativeInfinity])
        {
            var expected = Exactly.To(type, value);
            Exactly.Equal([expected, expected], Exactly.Elements(Tensor.Full([2], value, type)), $"Full {value}");
            var x = Layouts.Spread(Tensor.Zeros([2], type));
            x.Fill(value);
            Exactly.Equal([expected, expected], Exactly.Elements(x), $"Fill {value}");
            Exactly.Equal([expected], Exactly.Elements(Tensor.Scalar(value, type)), $"Scalar {value}");
        }
        foreach (var whole in (long[])
            [0, 1, -1, 255, 256, 65521, int.MaxValue, (1L << 53) + 1, long.MaxValue, long.MinValue])
        {
            // As real numbers do, whole ones become the nearest there is.
            var expected = type switch
            {
                DType.UInt8 => Math.Clamp(whole, 0, 255),
                DType.Int32 => Math.Clamp(whole, int.MinValue, int.MaxValue),
                _ => Exactly.To(type, whole),
            };
            Exactly.Equal([expected], Exactly.Elements(Tensor.Full([1], whole, type)), $"Full {whole}");
        }
        Exactly.Equal([Exactly.To(type, 1L), Exactly.To(type, 1L)], Exactly.Elements(Tensor.Ones([2], type)), "Ones");
        Exactly.Equal([.. Enumerable.Range(0, 600).Select(i => Exactly.To(type, -3 + i * 0.7))],
            Exactly.Elements(Tensor.Arange(-3, 416.9, 0.7, type)), "Arange");
        Exactly.Equal([.. ((double[])[1, 0, 0, 0, 1, 0]).Select(value => Exactly.To(type, value))],
            Exactly.Elements(Tensor.Eye(2, 3, type)), "Eye");
    }

    [Fact]
    public void Printing_has_all_digits_of_integers_and_columns_that_align()
    {
        Assert.Equal("[  1,  20, 255], uint8", Tensor.From(new byte[] { 1, 20, 255 }).ToString());
        Assert.Equal("[-2147483648,           7], int32", Tensor.From([int.MinValue, 7]).ToString());
        Assert.Equal("[ 0.1001, -2.0000], bfloat16",
            Tensor.From([(BFloat16)0.1f, (BFloat16)(-2f)]).ToString());
        Assert.Equal("[[1, 2],\n [3, 4]], float16", Tensor.Arange(1, 5, 1, DType.Float16).Reshape(2, 2).ToString());
        Assert.Equal("[6.5504e+04, 5.9605e-08,        NaN], float16",
            Tensor.From([Half.MaxValue, Half.Epsilon, Half.NaN]).ToString());
        Assert.Equal("[3.3895e+38,          ∞], bfloat16",
            Tensor.From([BFloat16.MaxValue, BFloat16.PositiveInfinity]).ToString().Replace("Infinity", "       ∞"));
    }

    [Theory, MemberData(nameof(Types))]
    public void Same_bits_are_told_from_same_numbers(DType type)
    {
        var x = Exactly.Vector(type, Values(type));
        Assert.True(x.HasBitsOf(Layouts.Spread(x)));
        Assert.False(x.HasBitsOf(x[1..]));
        var other = x.Clone();
        other[1..2].Fill(0);
        Assert.Equal(type.IsFloating(), x[1].Item() == 0);
        Assert.False(x.HasBitsOf(other));
        Assert.All(Exactly.Types, another => Assert.Equal(another == type, x.HasBitsOf(x.To(another))));
    }

    [Fact]
    public void Anomaly_mode_looks_into_half_precision()
    {
        using var _ = new AnomalyMode();
        var x = Tensor.From([(Half)1f, (Half)60000f]);
        Assert.Contains("made infinity at element 1 of (2,)",
            Assert.Throws<AnomalyException>(() => x.Exp()).Message, StringComparison.Ordinal);
        Assert.Contains("made NaN at element 0 of (2,)",
            Assert.Throws<AnomalyException>(() => (x.To(DType.BFloat16) * -1).Log()).Message, StringComparison.Ordinal);
    }

    private static int? Order(object x, object y) => (x, y) switch
    {
        (long a, long b) => a.CompareTo(b),
        (double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? null : a == b ? 0 : a.CompareTo(b),
        (long a, double b) => double.IsNaN(b) ? null : Compare(a, b),
        _ => throw new NotSupportedException(),
    };

    private static int Compare(long x, double y) => y >= 9223372036854775808 ? -1 : y < -9223372036854775808 ? 1
        : ((decimal)x).CompareTo(Math.Floor(y) == y ? (decimal)(long)y : (decimal)Math.Floor(y) + 0.5m);

    private static ushort[] Bits(Tensor x) => x.DType == DType.BFloat16
        ? Array.ConvertAll(x.ToArray<BFloat16>(), value => value.Bits)
        : Array.ConvertAll(x.ToArray<Half>(), BitConverter.HalfToUInt16Bits);

    // Those that a type has of the remarkable ones.
    private static object[] Values(DType type)
    {
        double[] floating = [0, -0.0, 1, -1, 0.5, 0.4, 1.9, -2.9, 254.5, 255, 256, 300, -1e-45, 1e-8, 6e-8, 65504,
            65520, 1e5, 16777217, 2147483647, 2147483648, -2147483649, 9007199254740993, 1e19, -1e19, 3.39e38, 3.4e38,
            1e39, -1e300, double.Epsilon, double.MaxValue, double.PositiveInfinity, double.NegativeInfinity,
            double.NaN];
        long[] whole = [0, 1, -1, 2, 127, 128, 255, 256, 257, -200, 65519, 65520, 65535, 16777217, int.MaxValue,
            int.MinValue, int.MaxValue + 1L, int.MinValue - 1L, uint.MaxValue, (1L << 53) + 1, long.MaxValue,
            long.MinValue];
        return type.IsFloating()
            ? [.. floating.Select(value => (object)Exactly.Rounded(type, value))]
            : [.. whole.Where(value => type switch
            {
                DType.Bool => value is 0 or 1,
                DType.UInt8 => value is >= 0 and <= 255,
                DType.Int32 => value is >= int.MinValue and <= int.MaxValue,
                _ => true,
            }).Concat([0L, 1, 1, 0]).Cast<object>()];
    }
}

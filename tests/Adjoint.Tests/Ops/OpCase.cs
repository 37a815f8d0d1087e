using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>
/// A row of the table of ops: how an op is called, at which inputs, and its value by an independent, naive float64
/// formula over flat arrays. The properties that follow from it are in the test classes of this folder.
/// </summary>
/// <param name="Name">The op's, and after a comma what is special about the call.</param>
/// <param name="Call">The op applied to inputs.</param>
/// <param name="Shapes">One for each input.</param>
/// <param name="Reference">The value, row-major, from the elements of the inputs; never by the code under test.</param>
internal sealed record OpCase(
    string Name, Func<Tensor[], Tensor> Call, int[][] Shapes, Func<double[][], double[]> Reference)
{
    internal static readonly DType[] AnyType = Enum.GetValues<DType>();
    internal static readonly DType[] Floating = [.. AnyType.Where(type => type.IsFloating())];
    internal static readonly DType[] Numbers = [.. AnyType.Where(type => type != DType.Bool)];
    internal static readonly DType[] WholeOrTruth = [.. AnyType.Except(Floating)];

    /// <summary>The catalogue's entry whose call this is.</summary>
    public OpEntry? Entry { get; init; }

    /// <summary>The element types that it takes; others it refuses by name.</summary>
    public DType[] Types { get; init; } = Floating;

    /// <summary>Moves random numbers from −2 to 2 to where the op is defined and has no kink.</summary>
    public Func<double, double>? Domain { get; init; }

    /// <summary>Whether each element of the result depends on one of each input, so that any shape will do.</summary>
    public bool IsElementwise { get; init; }

    /// <summary>Whether there is a derivative.</summary>
    public bool IsDifferentiable { get; init; } = true;

    /// <summary>Whether there is a second derivative.</summary>
    public bool IsSmooth { get; init; } = true;

    /// <summary>Why finite differences do not show the derivative.</summary>
    public string? NoDifferences { get; init; }

    /// <summary>
    /// The tolerance of values and gradients in half precision, in units in the last place of the largest: more than 1
    /// where several ops round, or the derivative comes from an output that was rounded.
    /// </summary>
    public int HalfUnits { get; init; } = 1;

    /// <summary>Whether a single op computes it, which rounds once.</summary>
    public bool RoundsOnce { get; init; } = true;

    /// <summary>The value of truth values, where it is not the reference's as a truth value.</summary>
    public Func<bool, bool>? OfTruth { get; init; }

    /// <summary>The value in whole numbers of any length, of which the result has the low bits.</summary>
    public Func<BigInteger, BigInteger, BigInteger>? Exact { get; init; }

    /// <summary>The call at sizes that several threads share; element-wise ones are known.</summary>
    public Sample? Large { get; init; }

    /// <summary>Calls with nothing in them, and the shape of their result; element-wise ones are known.</summary>
    public Sample[] Empty { get; init; } = [];

    /// <summary>What it refuses, and the whole message: op, rule, found, remedy.</summary>
    public BadInput[] Bad { get; init; } = [];

    /// <summary>
    /// Values and gradients of PyTorch at 0, −0, NaN, ±∞, ties, huge and tiny numbers: Goldens/special_points.json.
    /// </summary>
    public Golden[] Goldens { get; init; } = [];

    /// <summary>Without goldens: where the special points are tested, or why there are none.</summary>
    public string? SpecialPoints { get; init; }

    /// <summary>Where the op's rule is not the derivative of its own formula, run on dual numbers.</summary>
    public Convention[] Conventions { get; init; } = [];

    /// <summary>Attributes that take another way through the op's formula.</summary>
    public Op[] Variants { get; init; } = [];

    /// <summary>What a capture says that cannot have it.</summary>
    public string? Uncapturable { get; init; }

    /// <summary>A call of the catalogue, by the op's name, with its flags.</summary>
    internal static OpCase Listed(string op, int[][] shapes, Func<double[][], double[]> reference)
    {
        var entry = OpCatalogue.All.Single(entry => entry.Op.Name == op);
        return new(op, entry.Call, shapes, reference)
        {
            Entry = entry,
            IsSmooth = entry.IsSmooth,
            IsDifferentiable = entry.IsDifferentiable,
        };
    }

    /// <summary>An element-wise op of one tensor, from the catalogue where no call is given.</summary>
    internal static OpCase Unary(
        string name, Func<double, double> reference, Func<double, double>? domain = null,
        Func<Tensor, Tensor>? call = null)
    {
        int[][] shapes = [[3, 7]];
        double[] All(double[][] x) => [.. x[0].Select(reference)];
        var row = call is null ? Listed(name, shapes, All) : new(name, x => call(x[0]), shapes, All);
        return row with { IsElementwise = true, Types = AnyType, Domain = domain };
    }

    /// <summary>An element-wise op of two tensors, from the catalogue where no call is given.</summary>
    internal static OpCase Binary(
        string name, Func<double, double, double> reference, Func<double, double>? domain = null,
        Func<Tensor, Tensor, Tensor>? call = null)
    {
        int[][] shapes = [[2, 3], [3]];
        double[] All(double[][] x) => [.. x[0].Select((a, i) => reference(a, x[1][i % x[1].Length]))];
        var row = call is null ? Listed(name, shapes, All) : new(name, x => call(x[0], x[1]), shapes, All);
        return row with { IsElementwise = true, Types = AnyType, Domain = domain };
    }

    public override string ToString() => Name;

    /// <summary>Fixed pseudo-random inputs, moved into the op's domain; others for each number.</summary>
    internal double[][] Inputs(int number = 0)
    {
        var random = new Random(20260101 + Shapes.Length + 1000 * number);
        return [.. Shapes.Select(shape => Enumerable.Range(0, Naive.Count(shape)).Select(_ =>
        {
            var x = Math.Round(random.NextDouble() * 4 - 2, 3) + 0.0005;
            return Domain is null ? x : Domain(x);
        }).ToArray())];
    }

    /// <summary>The value at inputs of a type.</summary>
    internal double[] Expected(DType type, double[][] inputs) => OfTruth is { } rule && type == DType.Bool
        ? Array.ConvertAll(inputs[0], a => rule(a != 0) ? 1.0 : 0)
        : Reference(inputs);

    /// <summary>
    /// Inputs as tensors of a type. Whole numbers are 1, 2 or 3: nothing is divided by 0, no byte is negative.
    /// </summary>
    internal Tensor[] Tensors(DType type, int number = 0)
    {
        var inputs = Inputs(number);
        if (!type.IsFloating())
            inputs = [.. inputs.Select(values => Array.ConvertAll(values, x => 1 + Math.Floor(Math.Abs(x) * 50 % 3)))];
        return Tensors(inputs, type);
    }

    /// <summary>The inputs as tensors of a type.</summary>
    internal Tensor[] Tensors(double[][] inputs, DType type) =>
        [.. inputs.Select((values, i) => Tensor.From(values.AsSpan(), Shapes[i]).To(type).Detach())];
}

/// <summary>Shapes to call an op at, and of what comes out where that is checked.</summary>
/// <param name="Shapes">One for each input.</param>
/// <param name="Result">That of the result.</param>
/// <param name="Call">The call, where it is not the row's.</param>
internal sealed record Sample(int[][] Shapes, int[]? Result = null, Func<Tensor[], Tensor>? Call = null);

/// <summary>A call that is refused.</summary>
internal sealed record BadInput(Action Act, string Message);

/// <summary>A case of the golden file, and where this library differs from it.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Call">The call, where it is not the row's.</param>
internal sealed record Golden(string Name, Func<Tensor[], Tensor>? Call = null, params Difference[] Differences);

/// <summary>A difference from PyTorch that is meant.</summary>
/// <param name="What">The beginning of "value" or "gradient".</param>
/// <param name="At">The inputs of an element, or of a row.</param>
/// <param name="Reason">Why.</param>
/// <param name="Own">What there is instead; any number where it is null.</param>
internal sealed record Difference(string What, Func<double[], bool> At, string Reason, double? Own = null)
{
    internal bool Covers(string what, double[] point, double found) =>
        what.StartsWith(What, StringComparison.Ordinal) && At(point)
        && (Own is not { } own || own.Equals(found) || own == found);
}

/// <summary>Where a derivative is what users expect instead of what the formula gives.</summary>
/// <param name="What">The beginning of the derivative's name in DualTests.</param>
internal sealed record Convention(string What, Func<double[], bool> At, string Reason);

namespace Adjoint.Tests.Capture;

/// <summary>
/// A random function of an input, of parameters, of leaves that nobody asks about, of other tensors and of constants,
/// run as a captured step and compared, bit for bit, with the eager one, while all kinds of things happen in between.
/// </summary>
internal sealed class RandomProgram
{
    private readonly int seed;
    private readonly Random random;
    private readonly DType type;
    private readonly int rows, columns;
    private readonly Tensor[] parameters, leaves, others;
    private readonly Generator drawn;
    private readonly List<Func<IReadOnlyList<Tensor>, Tensor>> instructions = [];

    private RandomProgram(int seed)
    {
        (this.seed, random) = (seed, new Random(seed));
        type = random.Next(3) == 0 ? DType.Float64 : DType.Float32;
        (rows, columns) = (Pick(3, 24, 40, 64), Pick(5, 33, 48, 64));
        (parameters, leaves, others) = (New(3, true), New(2, true), New(2, false));
        drawn = new Generator((ulong)seed);
        for (var i = 0; i < 12; i++) instructions.Add(Instruction());
    }

    /// <summary>Runs one program ten times.</summary>
    internal static void Check(int seed)
    {
        var program = new RandomProgram(seed);
        var step = CapturedStep.Create((x, _) => program.Loss(x), program.parameters);
        for (var call = 0; call < 10; call++) program.Call(step, call);
        Assert.True(step.IsCaptured, $"seed {seed}");
    }

    private void Call(CapturedStep step, int call)
    {
        var x = Input();
        var before = drawn.Position;
        var expected = Loss(x);
        var value = expected.Item();
        var gradients = Differentiation.Gradients(expected, parameters).Select(Bits).ToArray();
        var untouched = Outside(x);
        var canaries = Enumerable.Range(0, 12).Select(i => Tensor.Full([rows + i % 2, columns], 7, type)).ToArray();
        var what = $"seed {seed}, call {call}";
        // The step draws what was just drawn.
        var after = drawn.Position;
        drawn.Position = before;
        Assert.True(value == step.Run(x, canaries[0]).Item(), $"{what}: another loss");
        for (var i = 0; i < parameters.Length; i++)
            Assert.True(Same(gradients[i], Bits(parameters[i].Grad)), $"{what}: another gradient of parameter {i}");
        Assert.True(after == drawn.Position, $"{what}: {drawn.Position - before} numbers were drawn");
        var now = Outside(x);
        for (var i = 0; i < now.Length; i++)
            Assert.True(Same(untouched[i], now[i]), $"{what}: tensor {i} from outside was changed");
        foreach (var canary in canaries)
            Assert.True(Bits(canary)!.All(element => element == 7), $"{what}: others' memory was written");
        for (var i = random.Next(4); i > 0; i--) Happen();
    }

    private double[]?[] Outside(Tensor x) =>
        [.. leaves.Select(leaf => leaf.Grad).Concat(leaves).Concat(others).Append(x).Select(Bits)];

    private Tensor Loss(Tensor x)
    {
        List<Tensor> values = [x, .. parameters, .. leaves, .. others, x * parameters[0]];
        foreach (var instruction in instructions) values.Add(instruction(values));
        return values[^5..].Aggregate(values[8].Mean(), (sum, value) => sum + value.Mean());
    }

    private Func<IReadOnlyList<Tensor>, Tensor> Instruction()
    {
        // Later values are chosen more often, so that the program is deep.
        int Any() => random.Next(3) == 0 ? random.Next(8) : random.Next(instructions.Count + 9);
        var (a, b, number, cut, plain) = (Any(), Any(), random.NextDouble() - 0.5, random.Next(1, rows), Plain());
        return random.Next(19) switch
        {
            0 => v => v[a] + v[b],
            1 => v => v[a] - v[b],
            2 => v => v[a] * v[b],
            3 => v => v[a].Sigmoid(),
            4 => v => v[a].Tanh(),
            5 => v => v[a] * number + number,
            6 => v => v[a].MatMul(v[b].Transpose()).MatMul(v[b]) * 0.01,
            7 => v => v[a].Softmax(),
            8 => v => v[a] - v[b].Mean(1, keepDims: true),
            9 => v => Tensor.Concat([v[a].Slice(0, cut, rows - cut), v[b].Slice(0, 0, cut)], 0),
            10 => v => v[a] * Tensor.Full([rows, columns], number, type),
            11 => v => v[a] + plain(),
            12 => v => v[a].Transpose().Contiguous().Transpose(),
            13 => v => v[a].Relu() * v[b].Detach(),
            14 => v => v[a] + v[b].Sum(0) * Tensor.Full([columns], number, type),
            15 => v => v[a] * Tensor.Bernoulli([rows, columns], 0.7, drawn, type) * (1 / 0.7),
            16 => v => v[a] + Tensor.Randn([rows, columns], drawn, type) * 0.1,
            17 => v => v[a].Reshape(1, 1, rows, columns).AvgPool2d(3, 1, 1).Reshape(rows, columns),
            _ => v => v[a].MatMul(Tensor.Full([columns, columns], number, type)),
        };
    }

    // Numbers of a .NET array, made into a tensor within the step.
    private Func<Tensor> Plain()
    {
        double[] numbers = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble())];
        var singles = Array.ConvertAll(numbers, number => (float)number);
        return type == DType.Float32
            ? () => Tensor.From((ReadOnlySpan<float>)singles, rows, columns)
            : () => Tensor.From((ReadOnlySpan<double>)numbers, rows, columns);
    }

    private void Happen()
    {
        var (leaf, parameter, other) = (leaves[random.Next(2)], parameters[random.Next(1, 3)], others[random.Next(2)]);
        switch (random.Next(9))
        {
            case 0: FreeMemory.Overwrite(); break;
            case 1: (leaf * other).Sum().Backward(); break;
            case 2: leaf.ZeroGrad(); break;
            case 3: parameter.ZeroGrad(); break;
            case 4: parameter.Grad = null; break;
            case 5: (parameter * parameters[0]).Sum().Backward(); break;
            case 6: parameter.RequireGrad(!parameter.RequiresGrad); break;
            case 7: other.Fill(random.NextDouble()); break;
            default:
                using (new NoGrad()) (random.Next(2) == 0 ? leaf : parameter).Fill(random.NextDouble() - 0.5);
                break;
        }
    }

    private Tensor Input() => random.Next(3) switch
    {
        0 => Random(rows, columns),
        1 => Random(rows + 3, columns).Slice(0, 2, rows),
        _ => Random(columns, rows).Transpose(),
    };

    private Tensor[] New(int count, bool isLeaf) =>
        [.. Enumerable.Range(0, count).Select(_ => Random(rows, columns).RequireGrad(isLeaf))];

    private Tensor Random(int first, int second) =>
        Tensor.Randn([first, second], new Generator((ulong)random.NextInt64()), type);

    private int Pick(params int[] choices) => choices[random.Next(choices.Length)];

    private static double[]? Bits(Tensor? tensor) => tensor?.Detach().To(DType.Float64).ToArray<double>();

    private static bool Same(double[]? a, double[]? b) => a is null || b is null ? a == b : a.AsSpan().SequenceEqual(b);
}

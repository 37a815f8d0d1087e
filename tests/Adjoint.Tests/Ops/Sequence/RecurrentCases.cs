namespace Adjoint.Tests.Ops;

internal static class RecurrentCases
{
    private const string Smooth = "RecurrentTests";

    // n, t, k, w.
    private static readonly int[] Sizes = [3, 4, 2, 3];

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Lstm", Shapes(4, [2, 3, 2, 3], cell: true), x => NaiveRecurrence.Of("lstm", x, [2, 3, 2, 3])
            .Outputs)
            with
        {
            SpecialPoints = Smooth, HalfUnits = 3, Large = new(Shapes(4, [35, 5, 20, 70], cell: true)),
            Empty =
            [
                new(Shapes(4, [0, 4, 2, 3], cell: true), [0, 4, 3]),
                    new(Shapes(4, [3, 0, 2, 3], cell: true), [3, 0, 3]),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).Lstm(Weights(4, 3, 2)),
                    "Lstm: the input must be (n, t, features) of a floating type: found (2, 3) float32; one sequence "
                    + "alone takes .Unsqueeze(0)"),
                new(() => Tensor.Zeros(2, 3, 5).Lstm(Weights(4, 3, 2)),
                    "Lstm: the input must have 2 features at each step, as the weights (12, 2) say: found (2, 3, 5)"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(new(Tensor.Zeros(13, 2), Tensor.Zeros(13, 3))),
                    "Lstm: the input weights must be (4·width, features): found (13, 2)"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2), Tensor.Zeros(1, 3)),
                    "Lstm: the hidden state must be (2, 3) float32: found (1, 3) float32"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2), cell: Tensor.Zeros(2, 4)),
                    "Lstm: the cell state must be (2, 3) float32: found (2, 4) float32"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2), lengths: Tensor.From(new long[] { 3 })),
                    "Lstm: lengths must be (2,) int64: found (1,) int64"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2), lengths: Tensor.From(new long[] { 3, 4 })),
                    "Lstm: the length of sequence 1 must be from 0 to 3, the steps of the input: found 4; pad the "
                    + "batch to its longest sequence, or clamp the lengths"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2), lengths: Tensor.From(new long[] { -1, 3 })),
                    "Lstm: the length of sequence 0 must be from 0 to 3, the steps of the input: found -1; pad the "
                    + "batch to its longest sequence, or clamp the lengths"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2) with { InputBias = Tensor.Zeros(12) }),
                    "Lstm: there must be a bias of the input and one of the hidden state, or none: found one; give "
                    + "zeros for the other"),
                new(() => Tensor.Zeros(2, 3, 2).Lstm(Weights(4, 3, 2) with { Projection = Tensor.Zeros(2, 3) }),
                    "Lstm: the hidden weights must be (12, 2) float32: found (12, 3) float32"),
            ],
        },
        new("Lstm, last states", x => Joined(x[0].Lstm(Of(x, 3), x[1], x[2])), Shapes(4, Sizes, cell: true),
            x => NaiveRecurrence.Of("lstm", x, Sizes).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        new("Lstm, of lengths", x => Joined(x[0].Lstm(Of(x, 3), x[1], x[2], Lengths(4, 0, 2))),
            Shapes(4, Sizes, cell: true), x => NaiveRecurrence.Of("lstm", x, Sizes, [4, 0, 2]).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        new("Lstm, backward", x => Joined(x[0].Lstm(Of(x, 3), x[1], x[2], Lengths(1, 3, 4), isReverse: true)),
            Shapes(4, Sizes, cell: true), x => NaiveRecurrence.Of("lstm", x, Sizes, [1, 3, 4], isReverse: true).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3, Large = new(Shapes(4, [35, 4, 20, 70], cell: true), Call: x =>
                x[0].Lstm(Of(x, 3), x[1], x[2], Lengths([.. Enumerable.Range(0, 35).Select(i => i % 5L)]), true)
                    .Outputs),
        },
        new("Lstm, with projection",
            x => Joined(x[0].Lstm(Of(x, 3) with { Projection = x[7] }, x[1], x[2], Lengths(4, 1, 3), isReverse: true)),
            [[3, 4, 2], [3, 2], [3, 3], [12, 2], [12, 2], [12], [12], [2, 3]],
            x => NaiveRecurrence.Of("lstm", x, Sizes, [4, 1, 3], isReverse: true, projection: 2).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3, Large = new(
                [[35, 4, 20], [35, 30], [35, 70], [280, 20], [280, 30], [280], [280], [30, 70]],
                Call: x => x[0].Lstm(Of(x, 3) with { Projection = x[7] }, x[1], x[2]).Outputs),
        },
        new("Lstm, without biases", x => x[0].Lstm(new(x[1], x[2])).Outputs, [[2, 3, 2], [4, 2], [4, 1]],
            x => NaiveRecurrence.Of(
                "lstm", [x[0], new double[2], new double[2], x[1], x[2], new double[4], new double[4]], [2, 3, 2, 1])
                .Outputs)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        OpCase.Listed("Gru", Shapes(3, [2, 3, 2, 3]), x => NaiveRecurrence.Of("gru", x, [2, 3, 2, 3]).Outputs) with
        {
            SpecialPoints = Smooth, HalfUnits = 3, Large = new(Shapes(3, [35, 5, 20, 70])),
            Empty = [new(Shapes(3, [0, 4, 2, 3]), [0, 4, 3]), new(Shapes(3, [3, 0, 2, 3]), [3, 0, 3])],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3, 2).Gru(Weights(3, 3, 2) with { Projection = Tensor.Zeros(2, 3) }),
                    "Gru: takes no projection, which only an LSTM has: found (2, 3); apply a Linear to the outputs"),
                new(() => Tensor.Zeros(2, 3, 2).Gru(Weights(3, 3, 2), lengths: Lengths(2, 9)),
                    "Gru: the length of sequence 1 must be from 0 to 3, the steps of the input: found 9; pad the "
                    + "batch to its longest sequence, or clamp the lengths"),
            ],
        },
        new("Gru, of lengths", x => Joined(x[0].Gru(Of(x, 2), x[1], Lengths(2, 4, 0))), Shapes(3, Sizes),
            x => NaiveRecurrence.Of("gru", x, Sizes, [2, 4, 0]).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        new("Gru, backward", x => Joined(x[0].Gru(Of(x, 2), x[1], Lengths(1, 3, 4), isReverse: true)),
            Shapes(3, Sizes), x => NaiveRecurrence.Of("gru", x, Sizes, [1, 3, 4], isReverse: true).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        OpCase.Listed("Rnn", Shapes(1, [2, 3, 2, 3]), x => NaiveRecurrence.Of("tanh", x, [2, 3, 2, 3]).Outputs) with
        {
            SpecialPoints = Smooth, HalfUnits = 3, Large = new(Shapes(1, [35, 5, 20, 70])),
            Empty = [new(Shapes(1, [0, 4, 2, 3]), [0, 4, 3]), new(Shapes(1, [3, 0, 2, 3]), [3, 0, 3])],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3, 2).Rnn(Weights(1, 3, 2) with { Projection = Tensor.Zeros(2, 3) }),
                    "Rnn: takes no projection, which only an LSTM has: found (2, 3); apply a Linear to the outputs"),
                new(() => Tensor.Zeros(2, 3, 2).Rnn(Weights(1, 3, 2), Tensor.Zeros([2, 3], DType.Float64)),
                    "Rnn: the hidden state must be (2, 3) float32: found (2, 3) float64"),
            ],
        },
        new("Rnn, of lengths, backward", x => Joined(x[0].Rnn(Of(x, 2), x[1], Lengths(2, 4, 0), isReverse: true)),
            Shapes(1, Sizes), x => NaiveRecurrence.Of("tanh", x, Sizes, [2, 4, 0], isReverse: true).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3,
        },
        new("Rnn, of max(0, s)", x => Joined(x[0].Rnn(Of(x, 2), x[1], activation: RecurrentActivation.Relu)),
            Shapes(1, Sizes), x => NaiveRecurrence.Of("relu", x, Sizes).All)
        {
            SpecialPoints = Smooth, HalfUnits = 3, IsSmooth = false,
        },
    ];

    private static RecurrentWeights Weights(int gates, int width, int inputs) =>
        new(Tensor.Zeros(gates * width, inputs), Tensor.Zeros(gates * width, width));

    private static RecurrentWeights Of(Tensor[] x, int at) =>
        new(x[at], x[at + 1]) { InputBias = x[at + 2], HiddenBias = x[at + 3] };

    private static int[][] Shapes(int gates, int[] sizes, bool cell = false)
    {
        var (n, t, k, w) = (sizes[0], sizes[1], sizes[2], sizes[3]);
        int[][] states = cell ? [[n, w], [n, w]] : [[n, w]];
        return [[n, t, k], .. states, [gates * w, k], [gates * w, w], [gates * w], [gates * w]];
    }

    private static Tensor Lengths(params long[] lengths) => Tensor.From(lengths);

    private static Tensor Joined((Tensor Outputs, Tensor Hidden) all) =>
        Tensor.Concat([all.Outputs.Reshape(-1), all.Hidden.Reshape(-1)]);

    private static Tensor Joined((Tensor Outputs, Tensor Hidden, Tensor Cell) all) =>
        Tensor.Concat([all.Outputs.Reshape(-1), all.Hidden.Reshape(-1), all.Cell.Reshape(-1)]);
}

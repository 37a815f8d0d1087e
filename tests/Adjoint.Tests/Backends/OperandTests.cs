using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Tests.Backends;

/// <summary>The backend's door: what does not fit is refused by name, and nothing is written.</summary>
public class OperandTests
{
    private static readonly Tensor Two = Tensor.Ones(2), Three = Tensor.Ones(3), Matrix = Tensor.Ones(2, 3),
        Pair = Tensor.Zeros([2], DType.Float64);
    private static readonly ConvShape Conv = new(1, 2, 4, 4, 3, 3, 3, 1, 1, 0, 0, 1, 1, 1);
    private static readonly PoolShape Pool = new(2, 4, 4, 2, 2, 2, 2, 0, 0, 2, 2);

    private static readonly (string Name, Action Call)[] Calls =
    [
        ("Map", () => Backend.Run(new Map<Twice>(), Two)),
        ("Map", () => Backend.Run(new Map<Twice>(), null, Two)),
        ("MatMul", () => Backend.Run(new MatMul<NoActivation>(), Matrix, null, null, Matrix)),
        ("Map", () => Backend.Run(new Map<Twice>(), Matrix, Two)),
        ("Map", () => Backend.Run(new Map<Twice>(), Two, Tensor.Zeros([2], DType.Float64))),
        ("Map", () => Backend.Run(new Map<Twice>(), Tensor.Zeros([2], DType.Int64), Tensor.Zeros([2], DType.Int64))),
        ("Map", () => Backend.Run(new Map<Twice>(), Matrix.Transpose(), Tensor.Zeros(2, 3).Transpose())),
        ("Map", () => Backend.Run(new Map<Twice>(), Three, Tensor.Zeros(6).Slice(0, 0, 3, 2))),
        ("Zip", () => Backend.Run(new Zip<Plus>(), Two, Three, Matrix)),
        ("Zip", () => Backend.Run(new Zip<Plus>(), Matrix, Three, Tensor.Zeros(3))),
        ("Zip", () => Backend.Run(new Zip<Plus>(), Matrix, Tensor.Ones(1, 1, 3), Tensor.Zeros(2, 3))),
        ("Zip", () => Backend.Run(new Zip<Plus>(), Three, Three.To(DType.Float64), Tensor.Zeros(3))),
        ("Zip3", () => Backend.Run(new Zip3<Choose>(), Three, Three, Two, Tensor.Zeros(3))),
        ("Reduce", () => Backend.Run(new Reduce<SumOperator>(default, [true, false]), Matrix, Tensor.Zeros(2))),
        ("Reduce", () => Backend.Run(new Reduce<SumOperator>(default, [true]), Matrix, Tensor.Zeros(3))),
        ("Reduce", () => Backend.Run(new Reduce<SumOperator>(default, [false, false]), Matrix, Tensor.Zeros(3, 2))),
        ("Copy", () => Backend.Run(new Copy(), Matrix, Tensor.Zeros(6))),
        ("Copy", () => Backend.Run(new Copy(), Matrix, Tensor.Zeros(3, 2).Transpose())),
        ("Copy", () => Backend.Run(new Copy(), Matrix, Tensor.Zeros([2, 3], DType.Bool))),
        ("Fill", () => Backend.Run(new Fill(0), Two, Three)),
        ("Arange", () => Backend.Run(new Arange(0, 1), Tensor.Zeros(3, 2).Transpose())),
        ("Random", () => Backend.Run(new RandomNumbers(Distribution.Normal), Tensor.Zeros(3))),
        ("Random", () => Draw(y: Tensor.Zeros(3, 2).Transpose())),
        ("Random", () => Draw(y: Tensor.Zeros([3], DType.Int64))),
        ("Random", () => Draw(state: Tensor.Zeros([2], DType.Int64))),
        ("Random", () => Draw(state: Tensor.Zeros(3))),
        ("Random", () => Draw(state: Tensor.Zeros([6], DType.Int64).Slice(0, 0, 3, 2))),
        ("Random", () => Draw(Distribution.Bernoulli, 1.5)),
        ("Random", () => Draw(Distribution.Bernoulli, double.NaN)),
        ("Random", () => Draw((Distribution)7)),
        ("CopyInto", () => Backend.Run(new CopyInto(), Matrix, Tensor.Zeros(2, 2))),
        ("CopyInto", () => Backend.Run(new CopyInto(), Matrix, Tensor.Zeros([2, 3], DType.Bool))),
        ("MatMul", () => Backend.Run(new MatMul<NoActivation>(), Matrix, Matrix, null, Tensor.Zeros(2, 2))),
        ("MatMul", () => Backend.Run(new MatMul<NoActivation>(), Matrix, Matrix.Transpose(), null, Tensor.Zeros(2, 1))),
        ("MatMul", () =>
            Backend.Run(new MatMul<NoActivation>(), Matrix, Matrix.Transpose(), Three, Tensor.Zeros(2, 2))),
        ("MatMul", () =>
            Backend.Run(new MatMul<NoActivation>(), Matrix.Reshape(1, 2, 3), Matrix.Transpose(), null, Tensor.Zeros(2,
                2))),
        ("MatMul", () => InPlace(x => Backend.Run(new MatMul<NoActivation>(), x, Tensor.Ones(4, 4), null, x))),
        ("MatMul", () =>
            InPlace(x => Backend.Run(new MatMul<NoActivation>(), Tensor.Ones(4, 4), x.Transpose(), null, x))),
        ("Conv2d", () =>
            InPlace(x => Backend.Run(new Primitives.Conv2d(Conv with { Channels = 1, Filters = 1 }), x.Reshape(1, 1, 4,
                4), Tensor.Ones(1, 1, 3, 3), null, x[..1].Reshape(1, 1, 2, 2)))),
        ("RotaryEmbedding", () => Rotate(Tensor.Ones(2, 4), Tensor.Zeros([2], DType.Int64), Tensor.Zeros(2, 2))),
        ("RotaryEmbedding", () => Rotate(Matrix, Tensor.Zeros([2], DType.Int64), Tensor.Zeros(2, 3))),
        ("RotaryEmbedding", () => Rotate(Two, Tensor.Zeros([2], DType.Int64), Tensor.Zeros(2))),
        ("RotaryEmbedding", () => Rotate(Tensor.Ones(2, 4), Two, Tensor.Zeros(2, 4))),
        ("RotaryEmbedding", () => Rotate(Tensor.Ones(2, 4), Tensor.Zeros([3], DType.Int64), Tensor.Zeros(2, 4))),
        ("RotaryEmbedding",
            () => Rotate(Tensor.Ones(3, 2, 4), Tensor.Zeros([2, 2], DType.Int64), Tensor.Zeros(3, 2, 4))),
        ("RotaryEmbedding", () => InPlace(x => Rotate(x, Tensor.Zeros([4], DType.Int64), x))),
        ("Softmax", () => Backend.Run(new Primitives.Softmax(), Matrix, Tensor.Zeros(2, 2))),
        ("SoftmaxGradient", () => Backend.Run(new Primitives.SoftmaxGradient(), Matrix, Three, Tensor.Zeros(2, 3))),
        ("LogSoftmaxGradient", () =>
            Backend.Run(new Primitives.LogSoftmaxGradient(), Matrix, Matrix, Tensor.Zeros(3, 2))),
        ("LogSoftmax", () => Backend.Run(new Primitives.LogSoftmax(), Matrix, Tensor.Zeros([2, 3], DType.Float64))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv), Tensor.Ones(1, 2, 4, 4), Tensor.Ones(3, 2, 3, 3), null,
                Tensor.Zeros(1, 3, 1, 2))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv), Tensor.Ones(1, 2, 3, 4), Tensor.Ones(3, 2, 3, 3), null,
                Tensor.Zeros(1, 3, 2, 2))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv with { Height = 400 }), Tensor.Ones(1, 2, 4, 4), Tensor.Ones(3, 2,
                3, 3), null, Tensor.Zeros(1, 3, 2, 2))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv with { DilationHeight = int.MaxValue }), Tensor.Ones(1, 2, 4, 4),
                Tensor.Ones(3, 2, 3, 3), null, Tensor.Zeros(1, 3, 2, 2))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv with { StrideWidth = 0 }), Tensor.Ones(1, 2, 4, 4), Tensor.Ones(3,
                2, 3, 3), null, Tensor.Zeros(1, 3, 2, 2))),
        ("Conv2d", () =>
            Backend.Run(new Primitives.Conv2d(Conv), Tensor.Ones(1, 2, 4, 4), Tensor.Ones(3, 2, 3, 3), Two,
                Tensor.Zeros(1, 3, 2, 2))),
        ("Conv2dDataGradient", () =>
            Backend.Run(new Primitives.Conv2dDataGradient(Conv), Tensor.Ones(1, 3, 3, 2), Tensor.Ones(3, 2, 3, 3),
                Tensor.Zeros(1, 2, 4, 4))),
        ("Conv2dWeightGradient", () =>
            Backend.Run(new Primitives.Conv2dWeightGradient(Conv), Tensor.Ones(1, 2, 4, 4), Tensor.Ones(1, 3, 2, 2),
                Tensor.Zeros(3, 2, 3, 2))),
        ("MaxPool2d", () =>
            Backend.Run(new Primitives.MaxPool2d(Pool), Tensor.Ones(1, 2, 4, 4), Tensor.Zeros(1, 2, 2, 2),
                Tensor.Zeros([1, 2, 2, 1], DType.Bool))),
        ("MaxPool2d", () =>
            Backend.Run(new Primitives.MaxPool2d(Pool with { OutHeight = 9 }), Tensor.Ones(1, 2, 4, 4), Tensor.Zeros(1,
                2, 9, 2), Tensor.Zeros([1, 2, 9, 2], DType.Bool))),
        ("MaxPool2dGradient", () =>
            Backend.Run(new Primitives.MaxPool2dGradient(Pool), Tensor.Ones(1, 2, 2, 2), Tensor.Zeros([1, 2, 2, 2],
                DType.Bool), Tensor.Zeros(1, 2, 4, 3))),
        ("BatchNorm", () =>
            Backend.Run(new Primitives.BatchNorm(1e-5), Matrix, Three, Two, Tensor.Zeros(3), Tensor.Zeros(3),
                Tensor.Zeros(3), Tensor.Zeros(2, 3))),
        ("BatchNorm", () =>
            Backend.Run(new Primitives.BatchNorm(1e-5), Three, Three, Three, Tensor.Zeros(3), Tensor.Zeros(3),
                Tensor.Zeros(3), Tensor.Zeros(3))),
        ("BatchNormGradient", () =>
            Backend.Run(new Primitives.BatchNormGradient(), Matrix, Matrix, Three, Three, Three, Tensor.Zeros(2, 3),
                Tensor.Zeros(3), Tensor.Zeros(2))),
        ("LayerNorm", () =>
            Backend.Run(new Primitives.LayerNorm(1e-5), Matrix, Three, Two, Tensor.Zeros(2, 3), Tensor.Zeros(2, 3))),
        ("LayerNorm", () =>
            Backend.Run(new Primitives.LayerNorm(1e-5), Matrix, Two, null, Tensor.Zeros(2, 3), Tensor.Zeros(2, 3))),
        ("LayerNorm", () =>
            Backend.Run(new Primitives.LayerNorm(1e-5), Matrix, Three, null, Tensor.Zeros(3, 3), Tensor.Zeros(2, 3))),
        ("LayerNormGradient", () =>
            Backend.Run(new Primitives.LayerNormGradient(), Matrix, Matrix, Tensor.Zeros(2, 3), Three,
                Tensor.Zeros(2, 3), Tensor.Zeros(3), Tensor.Zeros(2))),
        ("LayerNormGradient", () =>
            Backend.Run(new Primitives.LayerNormGradient(), Matrix, Three, Tensor.Zeros(2, 3), Three,
                Tensor.Zeros(2, 3), Tensor.Zeros(3), null)),
        ("GroupNorm", () =>
            Backend.Run(new Primitives.GroupNorm(2, 1e-5), Tensor.Ones(2, 3, 4), Three, Three, Tensor.Zeros(2, 2, 3),
                Tensor.Zeros(2, 3, 4))),
        ("GroupNorm", () =>
            Backend.Run(new Primitives.GroupNorm(3, 1e-5), Tensor.Ones(2, 3, 4), Three, Two, Tensor.Zeros(2, 3, 3),
                Tensor.Zeros(2, 3, 4))),
        ("GroupNormGradient", () =>
            Backend.Run(new Primitives.GroupNormGradient(1), Matrix, Matrix, Tensor.Zeros(2, 3), Three,
                Tensor.Zeros(2, 3), Tensor.Zeros(3), Tensor.Zeros(3))),
        ("GroupNormGradient", () =>
            Backend.Run(new Primitives.GroupNormGradient(1), Matrix, Matrix, Tensor.Zeros(2, 1, 3), Three,
                Tensor.Zeros(2, 3), Tensor.Zeros(3), Tensor.Zeros(3, 2).Slice(1, 0, 1).Reshape(3)[..2])),
        ("RmsNorm", () =>
            Backend.Run(new Primitives.RmsNorm(1e-6), Matrix, Three, Tensor.Zeros(2), Tensor.Zeros(2, 3))),
        ("RmsNormGradient", () =>
            Backend.Run(new Primitives.RmsNormGradient(), Matrix, Matrix, Tensor.Zeros(2, 3), Three,
                Tensor.Zeros(2, 3), Tensor.Zeros([3], DType.Float64))),
        ("Cast", () => Backend.Run(new Primitives.Cast(), Matrix, Tensor.Zeros(3, 2))),
        ("Cast", () => Backend.Run(new Primitives.Cast(), Matrix, Tensor.Zeros([3, 2], DType.Int64).Transpose())),
        ("Compare", () => Backend.Run(new Primitives.Compare(Relation.Less), Matrix, Matrix, Tensor.Zeros(2, 3))),
        ("Compare", () => Backend.Run(new Primitives.Compare(Relation.Less), Matrix, Two, Truth(2, 3))),
        ("Compare", () => Backend.Run(new Primitives.Compare(Relation.Less), Matrix, Index(1, 2, 3), Truth(2, 3))),
        ("Compare", () => Backend.Run(new Primitives.Compare(Relation.Less), Matrix, Matrix, Truth(3, 2).Transpose())),
        ("Compare", () => Backend.Run(new Primitives.Compare((Relation)9), Matrix, Matrix, Truth(2, 3))),
        ("CompareNumber", () => Backend.Run(new CompareNumber(Relation.Less, 1), Matrix, Truth(3, 2))),
        ("CompareNumber", () => Backend.Run(new CompareNumber(Relation.Less, 1), Matrix, Tensor.Zeros(2, 3))),
        ("Select", () => Backend.Run(new Primitives.Select(), Matrix, Matrix, Matrix, Tensor.Zeros(2, 3))),
        ("Select", () => Backend.Run(new Primitives.Select(), Truth(2), Matrix, Matrix, Tensor.Zeros(2, 3))),
        ("Select", () => Backend.Run(new Primitives.Select(), Truth(3), Matrix, Index(1, 2, 3), Tensor.Zeros(2, 3))),
        ("Select", () =>
            Backend.Run(new Primitives.Select(), Truth(3), Matrix, Matrix, Tensor.Zeros(3, 2).Transpose())),
        ("Gather", () => Backend.Run(new Primitives.Gather(1), Matrix, Index(1, 2, 0), Tensor.Zeros(3))),
        ("Gather", () => Backend.Run(new Primitives.Gather(1), Three, Index(0), Tensor.Zeros(1))),
        ("Gather", () => Backend.Run(new Primitives.Gather(0), Three, Index(0, 3), Tensor.Zeros(2))),
        ("Gather", () => Backend.Run(new Primitives.Gather(0), Three, Index(0, 2), Tensor.Zeros(3))),
        ("Gather", () => Backend.Run(new Primitives.Gather(0), Three, Index(0, 2), Index(0, 2))),
        ("Gather", () =>
            InPlace(x => Backend.Run(new Primitives.Gather(0), x, Tensor.Zeros([4, 4], DType.Int64), x))),
        ("ScatterAdd", () => Backend.Run(new ScatterAdd(0), Three, Index(0, 2, -1), Tensor.Zeros(3))),
        ("ScatterAdd", () => Backend.Run(new ScatterAdd(0), Three, Index(0, 2), Tensor.Zeros(3))),
        ("ScatterAdd", () => Backend.Run(new ScatterAdd(0), Truth(2), Index(0, 1), Truth(2))),
        ("Embedding", () => Backend.Run(new Primitives.Embedding(), Matrix, Index(2), Tensor.Zeros(1, 3))),
        ("Embedding", () => Backend.Run(new Primitives.Embedding(), Matrix, Index(1), Tensor.Zeros(1, 2))),
        ("Embedding", () => Backend.Run(new Primitives.Embedding(), Three, Index(1), Tensor.Zeros(1, 3))),
        ("Embedding", () => Backend.Run(new Primitives.Embedding(), Matrix, Three, Tensor.Zeros(3, 3))),
        ("ArgReduce", () => Backend.Run(new Primitives.ArgReduce(2, true), Matrix, Index(0, 0))),
        ("ArgReduce", () => Backend.Run(new Primitives.ArgReduce(1, true), Matrix, Index(0, 0, 0))),
        ("ArgReduce", () => Backend.Run(new Primitives.ArgReduce(1, true), Matrix, Two)),
        ("ArgReduce", () => Backend.Run(new Primitives.ArgReduce(1, true), Tensor.Zeros(2, 0), Index(0, 0))),
        ("MaxPool2dSelect", () =>
            Backend.Run(new Primitives.MaxPool2dSelect(Pool), Tensor.Ones(1, 2, 4, 3), Truth(1, 2, 2, 2),
                Tensor.Zeros(1, 2, 2, 2))),
        ("IndexSelect", () => Backend.Run(new IndexSelect(1), Matrix, Index(0, 3), Tensor.Zeros(2, 2))),
        ("IndexSelect", () => Backend.Run(new IndexSelect(1), Matrix, Index(0, 1, 2), Tensor.Zeros(2, 2))),
        ("IndexAdd", () => Backend.Run(new IndexAdd(1), Matrix, Index(0, -1, 0), Tensor.Zeros(2, 3))),
        ("CumulativeSum", () => Backend.Run(new Primitives.CumulativeSum(2, false), Matrix, Tensor.Zeros(2, 3))),
        ("CumulativeSum", () => Backend.Run(new Primitives.CumulativeSum(-1, false), Matrix, Tensor.Zeros(2, 3))),
        ("CumulativeSum", () => Backend.Run(new Primitives.CumulativeSum(0, false), Matrix, Tensor.Zeros(3, 2))),
        ("CumulativeSum", () => Backend.Run(new Primitives.CumulativeSum(0, false), Truth(2), Truth(2))),
        ("CumulativeSum", () => InPlace(x => Backend.Run(new Primitives.CumulativeSum(0, false), x.Transpose(), x))),
        ("SquaredNorm", () => Backend.Run(new Primitives.SquaredNorm(), Two)),
        ("SquaredNorm", () => Backend.Run(new Primitives.SquaredNorm(), Two, Tensor.Zeros(2))),
        ("SquaredNorm", () => Backend.Run(new Primitives.SquaredNorm(), Two, Tensor.Zeros([1], DType.Float64))),
        ("SquaredNorm", () => Backend.Run(new Primitives.SquaredNorm(), Index(1), Tensor.Zeros([2], DType.Float64))),
        ("ClipToNorm", () => Backend.Run(new Primitives.ClipToNorm(1), Two, Tensor.Zeros(2), Tensor.Zeros(2))),
        ("ClipToNorm", () => Backend.Run(new Primitives.ClipToNorm(1), Two, Pair, Tensor.Zeros(3))),
        ("ClipToNorm", () => Backend.Run(new Primitives.ClipToNorm(1), Index(1), Pair, Index(1))),
        ("ClipToNorm", () => Backend.Run(new Primitives.ClipToNorm(1), Matrix.Transpose(), Pair, Tensor.Zeros(3, 2))),
        ("RootOfSquares", () => Backend.Run(new RootOfSquares(), Two, Tensor.Scalar(0, DType.Float64))),
        ("RootOfSquares", () => Backend.Run(new RootOfSquares(), Pair, Tensor.Scalar(0))),
        ("RootOfSquares", () => Backend.Run(new RootOfSquares(), Pair)),
        ("SquaredNorm", () =>
        {
            var x = Tensor.Zeros([3], DType.Float64);
            Backend.Run(new Primitives.SquaredNorm(), x, x.Slice(0, 1, 2));
        }),
        ("ParameterUpdate", () => Backend.Run(new ParameterUpdate<Descend>(), Two, Tensor.Ones(2))),
        ("ParameterUpdate", () =>
            Backend.Run(new ParameterUpdate<Descend>(), Two, Tensor.Ones(2), Tensor.Ones(2), Tensor.Ones(2))),
        ("ParameterUpdate", () => Backend.Run(new ParameterUpdate<Descend>(), Two, Tensor.Ones(2), null)),
        ("ParameterUpdate", () => Backend.Run(new ParameterUpdate<Descend>(), Three, Tensor.Ones(2), Tensor.Ones(2))),
        ("ParameterUpdate", () =>
            Backend.Run(new ParameterUpdate<Descend>(), Two, Tensor.Ones(2), Tensor.Zeros([2], DType.Float64))),
        ("ParameterUpdate", () => Backend.Run(new ParameterUpdate<Descend>(), Index(1), Index(1), Index(1))),
        ("ParameterUpdate", () =>
            Backend.Run(new ParameterUpdate<Descend>(), Matrix, Tensor.Ones(3, 2).Transpose(), Tensor.Ones(2, 3))),
        ("ParameterUpdate", () =>
            Backend.Run(new ParameterUpdate<Descend>(), Matrix, Tensor.Ones(2, 3), Tensor.Ones(3, 2).Transpose())),
        ("ParameterUpdate", () =>
            InPlace(x => Backend.Run(new ParameterUpdate<Descend>(), x[1], x[1], Tensor.Ones(4)))),
        ("ParameterUpdate", () =>
            InPlace(x => Backend.Run(new ParameterUpdate<Descend>(), Tensor.Ones(4, 4), x, x.Reshape(4, 4)))),
        ("SoftmaxCrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.Zeros([3], DType.Int64),
                Tensor.Zeros(2), null, Tensor.Scalar(0))),
        ("SoftmaxCrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.Zeros([2], DType.Int64),
                Tensor.Zeros(2), Tensor.Zeros(3, 2), Tensor.Scalar(0))),
        ("SoftmaxCrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.Zeros([2], DType.Int64),
                Tensor.Zeros(1), Tensor.Zeros(2, 3), Tensor.Scalar(0))),
        ("SoftmaxCrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.Zeros([2], DType.Int64),
                Tensor.Zeros(2), Tensor.Zeros(2, 3), Tensor.Zeros(2))),
        ("SoftmaxCrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.Zeros([2], DType.Int64),
                Tensor.Zeros(2), Tensor.Zeros(2, 3), Tensor.Scalar(0, DType.Float64))),
        ("CrossEntropy", () =>
            Backend.Run(new Primitives.SoftmaxCrossEntropy(0, true), Matrix, Tensor.From(new long[] { 0, 1L << 40 }),
                Tensor.Zeros(2), Tensor.Zeros(2, 3), Tensor.Scalar(0))),
        ("LinearCrossEntropy", () => Linear(hidden: Tensor.Zeros(2, 4))),
        ("LinearCrossEntropy", () => Linear(hidden: Tensor.Zeros(3))),
        ("LinearCrossEntropy", () => Linear(labels: Tensor.Zeros([3], DType.Int64))),
        ("LinearCrossEntropy", () => Linear(labels: Tensor.Zeros(2))),
        ("LinearCrossEntropy", () => Linear(bias: Tensor.Zeros(3))),
        ("LinearCrossEntropy", () => Linear(above: Tensor.Zeros(3))),
        ("LinearCrossEntropy", () => Linear(losses: Tensor.Zeros(3))),
        ("LinearCrossEntropy", () => Linear(count: Tensor.Zeros(2))),
        ("LinearCrossEntropy", () => Linear(ofHidden: Tensor.Zeros(3, 2))),
        ("LinearCrossEntropy", () => Linear(ofWeight: Tensor.Zeros(3, 4).Transpose())),
        ("LinearCrossEntropy", () => Linear(ofBias: Tensor.Zeros(3))),
        ("LinearCrossEntropy", () => Linear(labels: Tensor.From(new long[] { 0, 4 }))),
        ("LinearCrossEntropy", () => Backend.Run(
            new LinearCrossEntropy(), Matrix, null, Index(2), null, null, Tensor.Zeros(2), Tensor.Scalar(0), null, null,
            null)),
    ];

    public static TheoryData<int, string> Rows() => [.. Calls.Select((call, i) => (i, call.Name))];

    [Theory, MemberData(nameof(Rows))]
    public void What_does_not_fit_is_refused(int row, string name) =>
        Assert.StartsWith(name + ":", Assert.Throws<AdjointException>(() => Calls[row].Call()).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_product_may_lie_beside_its_operands_in_one_memory()
    {
        var all = Tensor.Ones(3, 2, 2);
        Backend.Run(new MatMul<NoActivation>(), all[0], all[1], null, all[2]);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2], all.ToArray<float>());
    }

    [Fact]
    public void A_step_takes_a_gradient_of_any_layout()
    {
        var (w, s) = (Tensor.Zeros(2, 3), Tensor.Ones(2, 3));
        Backend.Run(new ParameterUpdate<Descend>(), Tensor.Arange(0, 6).Reshape(3, 2).Transpose(), w, s);
        Assert.Equal([1, 3, 5, 2, 4, 6], s.ToArray<float>());
        Assert.Equal([-1, -3, -5, -2, -4, -6], w.ToArray<float>());
    }

    [Fact]
    public void An_op_whose_shape_rule_is_wrong_is_told_so()
    {
        var x = Tensor.Ones(1000, 1000);
        foreach (var spec in (TensorSpec[])[new([3], DType.Float32), new([2000, 1000], DType.Float32), new([1000,
            1000], DType.Float64), new([1000, 1000], DType.Int64), new(default, DType.Float32)])
            Assert.Contains(" must be ", Assert.Throws<AdjointException>(() => Op.Apply(new Wrong(spec),
                x)).Message.Replace("computes on", " must be ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(2, Op.Apply(new Wrong(new(x.Shape, x.DType)), x).ItemAt(999, 999));
    }

    [Fact]
    public void Ops_of_one_and_two_tensors_say_how_many_they_take()
    {
        Assert.Equal("Double: takes one tensor: found 2", Assert.Throws<AdjointException>(() => Op.Apply(new Doubled(),
            Two, Two)).Message);
        Assert.Equal("Double: takes one tensor: found 0", Assert.Throws<AdjointException>(() =>
            Op.Apply(new Doubled())).Message);
    }

    private static Tensor Truth(params int[] sizes) => Tensor.Zeros(sizes, DType.Bool);

    private static Tensor Index(params long[] positions) => Tensor.From(positions, positions.Length);

    private static void Draw(
        Distribution distribution = Distribution.Uniform, double probability = 0, Tensor? y = null,
        Tensor? state = null) =>
        Backend.Run(new RandomNumbers(distribution, probability), y ?? Tensor.Zeros(3),
            state ?? Tensor.Zeros([3], DType.Int64));

    private static void Rotate(Tensor x, Tensor positions, Tensor y) =>
        Backend.Run(new Primitives.RotaryEmbedding(10000, false, false), x, positions, y);

    // Two rows of width 3, four classes.
    private static void Linear(
        Tensor? hidden = null, Tensor? labels = null, Tensor? bias = null, Tensor? above = null,
        Tensor? losses = null, Tensor? count = null, Tensor? ofHidden = null, Tensor? ofWeight = null,
        Tensor? ofBias = null) =>
        Backend.Run(new LinearCrossEntropy(0, true), hidden ?? Matrix, Tensor.Zeros(4, 3), labels ?? Index(0, 1), bias,
            above, losses ?? Tensor.Zeros(2), count ?? Tensor.Scalar(0), ofHidden, ofWeight, ofBias);

    private static void InPlace(Action<Tensor> call)
    {
        var x = Tensor.Ones(4, 4);
        try
        {
            call(x);
        }
        finally
        {
            Assert.All(x.ToArray<float>(), value => Assert.Equal(1, value));
        }
    }

    [Fact]
    public void An_element_type_that_there_is_none_of_is_refused()
    {
        foreach (var act in (Action[])[() => Tensor.Zeros(Shape.Create([3]), (DType)17),
            () => Tensor.Full([3], 1, (DType)(-1)), () => Two.To((DType)17), () => Tensor.Arange(0, 3, 1, (DType)17),
            () => Op.Apply(new Wrong(new(Two.Shape, (DType)17)), Two)])
            Assert.Contains("use a member of DType", Assert.Throws<AdjointException>(act).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Null_in_place_of_the_array_of_gradients_is_refused()
    {
        var y = Op.Apply(new Wrong(new(Two.Shape, Two.DType), givesNull: true), Two.Detach().RequireGrad());
        Assert.Equal("Wrong: Backward returned null for its 1 inputs; return an array with one gradient per input, "
            + "null where there is none", Assert.Throws<AdjointException>(() => y.Sum().Backward()).Message);
    }

    private sealed class Doubled : UnaryOp<Twice, Plus>
    {
        public override string Name => "Double";
        public override string Formula => "y = 2x";
        public override string Derivation => "2g";
        public override Saves Saves => Saves.Nothing;
        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * 2];
    }

    private sealed class Wrong(TensorSpec spec, bool givesNull = false) : Op
    {
        public override string Name => "Wrong";
        public override string Formula => "y = 2x";
        public override string Derivation => "2g";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => spec;
        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Map<Twice>(), inputs[0], output);
        public override Tensor?[] Backward(OpNode node, Tensor gradient) => givesNull ? null! : [gradient * 2];
    }

    private readonly struct Descend : IUpdateRule
    {
        public static int States => 1;
        public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
        {
            s = s + g;
            w = w - s;
        }
    }

    private readonly struct Twice : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x + x;
    }

    private readonly struct Plus : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x + y;
    }

    private readonly struct Choose : ITernaryOperator
    {
        public V Invoke<V>(V x, V y, V z) where V : struct, ILanes<V> => x + y * z;
    }
}

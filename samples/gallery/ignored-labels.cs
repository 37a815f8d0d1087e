#:project ../../src/Adjoint/Adjoint.csproj
// Weighted negative log-likelihood with ignored labels, as in segmentation or tagging: two classes are rare, and a
// third of the labels are missing (−100). The loss is written from ops: log-softmax, gather, a mask. The weights of the
// classes are an argument of the captured step.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Classes = 3, Ignored = -100, BatchSize = 128, Epochs = 30;
var (x, y) = Sample(3000, share: 0.33, new Generator(1));
var (testX, testY) = Sample(3000, share: 0, new Generator(2));
var counts = Tensor.Stack([.. Enumerable.Range(0, Classes).Select(c => y.EqualTo(c).To(DType.Float32).Sum())]);
var known = string.Join(", ", counts.ToArray<float>());
Console.WriteLine($"labels: {known}, and {x.Shape[0] - counts.Sum().Item()} missing");
Train("alike", Tensor.Ones(Classes));
Train("inverse to their counts", 1 / counts * counts.Mean());

void Train(string name, Tensor weights)
{
    var random = new Generator(3);
    var model = new Mlp(2, [32], Classes, "gelu", random);
    var optimizer = new Adam(model.Parameters(), learningRate: 0.01);
    var step = CapturedFunction.Create((Tensor x, Tensor y, Tensor weights) =>
    {
        var loss = WeightedNll(model.Forward(x), y, weights);
        optimizer.ZeroGrad();
        loss.Backward();
        optimizer.Step();
        return loss;
    });
    var loss = 0.0;
    for (var epoch = 1; epoch <= Epochs; epoch++)
        foreach (var rows in random.Permutation(x.Shape[0]).Chunk(BatchSize))
            loss = step.Run(x.IndexSelect(0, rows), y.IndexSelect(0, rows), weights).Item();
    using var noGrad = new NoGrad();
    var found = model.Forward(testX).ArgMax();
    var recalls = Enumerable.Range(0, Classes).Select(c => Recall(found, c)).ToArray();
    Console.WriteLine($"weights {name}: loss {loss:0.000}, recall of each class "
        + $"{string.Join(", ", recalls.Select(recall => $"{recall:P0}"))}, mean {recalls.Average():P0}");
    Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");
}

// Σ wᵢ·(−log pᵢ) / Σ wᵢ over the samples with a label, where wᵢ is the weight of the label's class.
static Tensor WeightedNll(Tensor logits, Tensor labels, Tensor weights)
{
    var isMissing = labels.EqualTo(Ignored);
    var safe = Tensor.Where(isMissing, Tensor.Scalar(0, DType.Int64), labels); // any class, where the label is missing
    var weight = Tensor.Where(isMissing, Tensor.Scalar(0), weights.IndexSelect(0, safe));
    return -(logits.LogSoftmax().SelectPerRow(safe) * weight).Sum() / weight.Sum();
}

// The recall of a class.
double Recall(Tensor found, int label)
{
    var ofClass = testY.EqualTo(label).To(DType.Float32);
    return ((found.EqualTo(label).To(DType.Float32) * ofClass).Sum() / ofClass.Sum()).Item();
}

// Overlapping clusters of 94, 4 and 2 % of the points; some of the labels are missing.
static (Tensor X, Tensor Y) Sample(int count, double share, Generator random)
{
    var draw = Tensor.Rand([count], random);
    var y = draw.Greater(0.94).To(DType.Int64) + draw.Greater(0.98).To(DType.Int64);
    var centers = Tensor.From(new float[,] { { 0, 0 }, { 2, 0 }, { 0, 2 } });
    var x = centers.IndexSelect(0, y) + Tensor.Randn([count, 2], random);
    return (x, Tensor.Where(Tensor.Rand([count], random).Less(share), Tensor.Scalar(Ignored, DType.Int64), y));
}

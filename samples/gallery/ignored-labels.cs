#:project ../../src/Adjoint/Adjoint.csproj
// An own loss with a trainer: weighted negative log-likelihood with ignored labels, as in segmentation or tagging. Two
// classes are rare, and a third of the labels are missing (−100). The loss is written from ops: log-softmax, gather, a
// mask.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Classes = 3, Ignored = -100, Epochs = 30;
var data = Sample(3000, share: 0.33, new Generator(1));
var complete = Sample(3000, share: 0, new Generator(2));
var y = data[Field.Targets];
var counts = Tensor.Stack([.. Enumerable.Range(0, Classes).Select(c => y.EqualTo(c).To(DType.Float32).Sum())]);
var known = string.Join(", ", counts.ToArray<float>());
Console.WriteLine($"labels: {known}, and {data.Count - counts.Sum().Item()} missing");
Train("alike", Tensor.Ones(Classes));
Train("inverse to their counts", 1 / counts * counts.Mean());

void Train(string name, Tensor weights)
{
    var model = new Mlp(2, [32], Classes, "gelu", new Generator(3));
    var optimizer = new Adam(model.Parameters(), learningRate: 0.01);
    var task = LearningTask.Of<Mlp>(
        loss: (model, batch) => WeightedNll(model.Forward(batch.Inputs), batch.Targets, weights),
        output: (model, batch) => model.Forward(batch.Inputs));
    var loader = new DataLoader(data, batchSize: 128, new() { Shuffle = true, Seed = 3 });
    var trainer = new Trainer(model, optimizer, task, loader);
    var result = trainer.Fit(Epochs);
    var recall = new Recall();
    recall.Update(trainer.Predict(new DataLoader(complete, batchSize: 1000)), complete[Field.Targets]);
    Console.WriteLine($"weights {name}: loss {result.Final.TrainLoss:0.000}, recall of each class "
        + $"{string.Join(", ", recall.PerClass().Select(value => $"{value:P0}"))}, mean {recall.Compute():P0}");
    Console.WriteLine(result.Capture);
}

// Σ wᵢ·(−log pᵢ) / Σ wᵢ over the samples with a label, where wᵢ is the weight of the label's class.
static Tensor WeightedNll(Tensor logits, Tensor labels, Tensor weights)
{
    var isMissing = labels.EqualTo(Ignored);
    var safe = Tensor.Where(isMissing, Tensor.Scalar(0, DType.Int64), labels); // any class, where the label is missing
    var weight = Tensor.Where(isMissing, Tensor.Scalar(0), weights.IndexSelect(0, safe));
    return -(logits.LogSoftmax().SelectPerRow(safe) * weight).Sum() / weight.Sum();
}

// Overlapping clusters of 94, 4 and 2 % of the points; some of the labels are missing.
static TensorDataset Sample(int count, double share, Generator random)
{
    var draw = Tensor.Rand([count], random);
    var y = draw.Greater(0.94).To(DType.Int64) + draw.Greater(0.98).To(DType.Int64);
    var centers = Tensor.From(new float[,] { { 0, 0 }, { 2, 0 }, { 0, 2 } });
    var x = centers.IndexSelect(0, y) + Tensor.Randn([count, 2], random);
    y = Tensor.Where(Tensor.Rand([count], random).Less(share), Tensor.Scalar(Ignored, DType.Int64), y);
    return new("clusters", [(Field.Inputs, x), (Field.Targets, y)]);
}

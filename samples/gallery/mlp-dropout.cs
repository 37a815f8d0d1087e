#:project ../../src/Adjoint/Adjoint.csproj
// A multilayer perceptron with dropout classifies the arms of a spiral. The trainer captures its steps, including the
// dropout masks, which differ at each call; the smaller last batch of an epoch has its own plan.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Arms = 3, Epochs = 60;
var random = new Generator(1);
var training = new DataLoader(Spiral(1000), batchSize: 128, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(Spiral(1000), batchSize: 1000);
var model = new Sequential(
    new Linear(2, 64, generator: random), new Relu(), new Dropout(0.1, random.Fork(1)),
    new Linear(64, 64, generator: random), new Relu(), new Dropout(0.1, random.Fork(2)),
    new Linear(64, Arms, generator: random));
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
var trainer = new Trainer(model, optimizer, new ClassificationTask(), training, validation);

var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Where(epoch => epoch.Epoch is 20 or 40 or 60))
    Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.000}, accuracy {epoch.ValidationAccuracy:P1}");
Console.WriteLine(result.Capture);

// Noisy points (n, 2) along the arms, and the arm (n) of each.
TensorDataset Spiral(int count)
{
    var arm = Tensor.From(Enumerable.Range(0, count).Select(i => i % (long)Arms).ToArray());
    var radius = Tensor.Rand([count], random).Sqrt();
    var angle = arm.To(DType.Float32) * (2 * Math.PI / Arms) + radius * 4 + Tensor.Randn([count], random) * 0.1;
    var points = Tensor.Stack([radius * angle.Cos(), radius * angle.Sin()], axis: 1);
    return new("spiral", [(Field.Inputs, points), (Field.Targets, arm)]);
}

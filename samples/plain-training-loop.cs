#:project ../src/Adjoint/Adjoint.csproj
// Training with nothing hidden: an explicit loop over batches.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

var data = Synth.Create(train: 20_000, validation: 2_000);
var random = new Generator(1);
var model = new Sequential(new Linear(2, 16, generator: random), new Relu(), new Linear(16, 2, generator: random));
var optimizer = new Sgd(model.Parameters(), learningRate: 0.5, momentum: 0.9);
var training = new DataLoader(data.Train, batchSize: 64, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(data.Validation, batchSize: 500);

for (var epoch = 1; epoch <= 5; epoch++)
{
    foreach (var (x, y) in training)
    {
        var loss = Loss.CrossEntropy(model.Forward(x), y);
        optimizer.ZeroGrad();
        loss.Backward();
        optimizer.Step();
    }

    using var _ = new NoGrad();
    var correct = 0.0;
    foreach (var (x, y) in validation) correct += model.Forward(x).ArgMax().EqualTo(y).To(DType.Float32).Sum().Item();
    Console.WriteLine($"epoch {epoch}: validation accuracy {correct / data.Validation.Count:P1}");
}

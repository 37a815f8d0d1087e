#:project ../src/Adjoint/Adjoint.csproj
// Training with a Trainer: schedule, early stopping, one line per epoch, the best model kept as a file.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

var data = Synth.Create(train: 20_000, validation: 2_000);
var model = new Mlp(2, [16, 16], 2, "relu", new Generator(1));
Console.WriteLine(model.Summary(1, 2));

var training = new DataLoader(data.Train, batchSize: 64, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(data.Validation, batchSize: 500);
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
var folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;
var trainer = new Trainer(model, optimizer, new ClassificationTask(), training, validation)
{
    Schedule = Schedule.Cosine(training.StepsIn(5)),
};
trainer.Callbacks.Add(new EarlyStopping(patience: 2));
var keeper = new ModelCheckpoint(folder);
trainer.Callbacks.Add(keeper);
trainer.Callbacks.Add(new Printer());

var result = trainer.Fit(epochs: 5);
keeper.Write();
Console.WriteLine($"best: epoch {result.Best.Epoch}, validation accuracy {result.Best.ValidationAccuracy:P1}");

// The file is all that another program needs.
var predictor = Predictor.Load(Path.Combine(folder, "best.safetensors"));
var prediction = predictor.Predict(Tensor.From([2f, 1f], 1, 2));
Console.WriteLine($"the point (2, 1) is of class {prediction.Names[prediction.ClassOf(0)]}");
Directory.Delete(folder, recursive: true);

sealed class Printer : Callback
{
    public override void AfterEpoch(Trainer trainer, EpochResult epoch) => Console.WriteLine(
        $"epoch {epoch.Epoch}: validation loss {epoch.ValidationLoss:0.0000}, accuracy {epoch.ValidationAccuracy:P1}");
}

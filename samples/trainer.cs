#:project ../src/Adjoint/Adjoint.csproj
// Training with a Trainer: schedule, early stopping, best model kept, one line per epoch.
using Adjoint;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

var data = Synth.Create(train: 20_000, validation: 2_000);
var model = new Mlp(2, [16, 16], 2, "relu", new Generator(1));
Console.WriteLine(model.Summary(1, 2));

var loader = new DataLoader(data.Train, batchSize: 64, new() { Shuffle = true, Seed = 1 });
var folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;
var trainer = new Trainer(model, new AdamW(model.Parameters(), 0.01), new ClassificationTask(), loader,
    new DataLoader(data.Validation, 500))
{
    Schedule = Schedule.Cosine(totalSteps: 5 * loader.Count),
};
trainer.Callbacks.Add(new EarlyStopping(patience: 2));
var keeper = new ModelCheckpoint(folder);
trainer.Callbacks.Add(keeper);
trainer.Callbacks.Add(new Printer());

var result = trainer.Fit(epochs: 5);
keeper.Write();
model.LoadStateDict(SafeTensors.Load(Path.Combine(folder, "best.safetensors")));
Console.WriteLine($"best: epoch {result.Best.Epoch}, validation accuracy {result.Best.ValidationAccuracy:P1}");
Directory.Delete(folder, recursive: true);

sealed class Printer : Callback
{
    public override void AfterEpoch(Trainer trainer, EpochResult epoch) =>
        Console.WriteLine(
            $"epoch {epoch.Epoch}: validation loss {epoch.ValidationLoss:0.0000}, accuracy " +
                $"{epoch.ValidationAccuracy:P1}");
}

using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>What a run leaves is a model that can be used, by whatever reads the file.</summary>
public sealed class ModelCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-keep-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_files_are_models_with_what_they_are_for()
    {
        var data = Synth.Create(train: 60, validation: 30);
        var (trainer, keeper) = TrainerOf(new Mlp(2, [4], 2, "relu", new Generator(1)), data);
        trainer.Fit(2);
        keeper.Write();
        var last = Predictor.Load(Path.Combine(folder, "last.safetensors"));
        var best = Predictor.Load(Path.Combine(folder, "best.safetensors"));
        Assert.Equal(("classification", "accuracy", 2), (last.Info.Task, last.Info.Score, last.Info.Epoch));
        Assert.Equal(data.Train.ClassNames, last.Info.ClassNames);
        Assert.Equal(data.Train.Fields, last.Info.Fields);
        Assert.Equal(trainer.Results[2].Metrics["accuracy"], last.Info.Metrics["accuracy"]);
        Assert.Equal(trainer.Results[2].ValidationLoss, last.Info.Metrics["loss"]);
        var chosen = trainer.Score.Best(trainer.Results);
        Assert.Equal((chosen.Epoch, chosen.Metrics["accuracy"]), (best.Info.Epoch, best.Info.Metrics["accuracy"]));
        var batch = data.Validation.Load([.. Enumerable.Range(0, 30)]);
        using var _ = new NoGrad();
        var expected = ((Layer)trainer.Model.Eval()).Forward(batch.Inputs);
        Assert.True(expected.HasBitsOf(last.Predict(batch).Outputs));
    }

    [Fact]
    public void Of_a_model_without_description_the_tensors_are_kept_and_the_reason()
    {
        var own = new Own();
        var (trainer, keeper) = TrainerOf(own, Synth.Create(train: 60, validation: 30));
        trainer.Fit(1);
        keeper.Write();
        var path = Path.Combine(folder, "last.safetensors");
        var error = Assert.Throws<DataFormatException>(() => Predictor.Load(path));
        Assert.Contains("holds tensors without the description of a model ('adjoint.model'): the model itself: a Own "
            + "has no description to save: implement ISavableModule<Own>", error.Message, StringComparison.Ordinal);
        new Own().LoadStateDict(SafeTensors.Load(path));
    }

    private (Trainer, ModelCheckpoint) TrainerOf(Layer model, DataSplits data)
    {
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
            new DataLoader(data.Train, 10), new DataLoader(data.Validation, 10));
        var keeper = new ModelCheckpoint(folder);
        trainer.Callbacks.Add(keeper);
        return (trainer, keeper);
    }

    private sealed class Own() : Sequential(new Flatten(), new Linear(2, 2));
}

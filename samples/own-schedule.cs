#:project ../src/Adjoint/Adjoint.csproj
// A custom schedule, that of "Attention Is All You Need" (Vaswani et al. 2017): linear warm-up, then decay with the
// inverse square root of the step. Trainers and resumed runs handle it like any other.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

var data = Synth.Create(train: 20_000, validation: 2_000);
var model = new Mlp(2, [16, 16], 2, "relu", new Generator(1));
var optimizer = new AdamW(model.Parameters(), learningRate: 0.02);
var loader = new DataLoader(data.Train, batchSize: 64, new() { Shuffle = true, Seed = 1 });
var trainer = new Trainer(model, optimizer, new ClassificationTask(), loader, new DataLoader(data.Validation, 500))
{
    Schedule = new InverseRoot(warmUp: 100),
};
trainer.Callbacks.Add(new Printer(optimizer));
var result = trainer.Fit(epochs: 3);
Console.WriteLine($"best: epoch {result.Best.Epoch}, validation accuracy {result.Best.ValidationAccuracy:P1}");

// The paper's d^(−1/2)·min(step^(−1/2), step·w^(−3/2)), counted from 1, over its peak d^(−1/2)·w^(−1/2).
sealed class InverseRoot(int warmUp) : Schedule
{
    public override double Factor(int step) =>
        Math.Min(Math.Sqrt(warmUp / (step + 1.0)), (step + 1.0) / warmUp);
}

sealed class Printer(Optimizer optimizer) : Callback
{
    int steps;

    public override void AfterBatch(Trainer trainer, StepInfo info)
    {
        if (++steps is 1 or 50 or 100 or 400) Console.WriteLine($"step {steps}: rate {optimizer.LearningRate:0.0000}");
    }
}

// Published ahead of time and run: does what trimming and native code could break. With "door": measures what a call of
// a primitive costs.
using System.Runtime.Intrinsics;
using Adjoint;
using Adjoint.Bench;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

if (args is ["door"]) return DoorReport.Run();
var width = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256
    : Vector128.IsHardwareAccelerated ? 128 : 0;

foreach (var entry in OpCatalogue.All.Where(entry => entry.IsDifferentiable))
    Require(GradCheck.Run(entry.Call, entry.Inputs()).Passed, $"the derivative of {entry.Op.Name}");

foreach (var type in (DType[])[DType.BFloat16, DType.Float16])
{
    var x = Tensor.Randn([40, 40], new Generator(5), type).RequireGrad();
    var y = (x.MatMul(x.Transpose()) * 0.1).Sigmoid().Softmax();
    y.Square().Sum().Backward();
    var wide = x.Detach().To(DType.Float32);
    var expected = (wide.MatMul(wide.Transpose()) * 0.1).Sigmoid().Softmax();
    Require((y.To(DType.Float32) - expected).Abs().Max().Item() < 0.001, $"a product in {type.Label()}");
    Require(x.Grad is { } g && g.DType == type && g.Abs().Max().Item() > 0, $"a gradient in {type.Label()}");
}

var whole = Tensor.From(new long[] { -7, 8 });
Require((whole.FloorDivide(2) & 0xFF).ToArray<long>() is [252, 4], "integers");
Require((whole.Remainder(3).EqualTo(2) & ~whole.Greater(0).All()).Sum().Item<long>() == 2, "truth values");
Require((whole + Tensor.From(new[] { 0.5, 1 })).ToArray<double>() is [-6.5, 9], "promotion");

var data = Synth.Create(train: 12_000, validation: 2_000);
var model = new Mlp(2, [16], 2, "relu", new Generator(1));
var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.5, momentum: 0.9), new ClassificationTask(),
    new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = 1 }), new DataLoader(data.Validation, 1000));
var result = trainer.Fit(5);
Require(result.Best.ValidationAccuracy > 0.95, $"validation accuracy {result.Best.ValidationAccuracy} of synth");

var path = Path.Combine(Path.GetTempPath(), $"adjoint-aot-{Environment.ProcessId}.safetensors");
model.Save(path, new() { Task = "classification", ClassNames = data.Train.ClassNames });
var predictor = Predictor.Load(path);
File.Delete(path);
Require(predictor.Model.Parameters().Zip(model.Parameters())
    .All(pair => pair.First.ToArray<float>().SequenceEqual(pair.Second.ToArray<float>())), "a saved and loaded model");
var samples = data.Validation.Load(0, 1, 2);
using (new NoGrad())
    Require(predictor.Predict(samples).Outputs.ToArray<float>()
        .SequenceEqual(model.Eval().Forward(samples.Inputs).ToArray<float>()), "the predictions of a loaded model");

var derivatives = OpCatalogue.All.Count(entry => entry.IsDifferentiable);
Console.WriteLine(FormattableString.Invariant(
    $"ahead of time, {width} bits: {derivatives} derivatives right, synth {result.Best.ValidationAccuracy:P1}"));
return 0;

static void Require(bool condition, string what)
{
    if (condition) return;
    Console.Error.WriteLine($"wrong ahead of time: {what}");
    Environment.Exit(1);
}

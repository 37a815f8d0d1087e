#:project ../src/Adjoint/Adjoint.csproj
// A custom data set: two members. Sentences of different lengths, made up as they are asked for; the loader pads them,
// in batches of similar lengths, on background threads.
using Adjoint;
using Adjoint.Data;

var splits = new Sentences(1000).Split(validation: 0.2, options: new() { Seed = 1, Stratify = Field.Targets });
var loader = new DataLoader(splits.Train, 32, new()
{
    Sampler = LengthSampler.Of(splits.Train, Field.Inputs, batchSize: 32),
    Collate = new PaddingCollate(Field.Inputs),
    Workers = 2,
});
var (real, all) = (0.0, 0);
foreach (var batch in loader)
{
    var mask = batch["inputs.mask"];
    (real, all) = (real + mask.To(DType.Float32).Sum().Item(), all + mask.Length);
}
Console.WriteLine($"{splits.Train.Count} sentences for training in {loader.Count} batches");
Console.WriteLine($"{(all - real) / all:P0} of the batches is padding");

// Killed after 10 batches, and resumed: the same batches.
string Read(IEnumerable<Batch> batches) =>
    string.Join(' ', batches.SelectMany(batch => batch.Inputs.Reshape(-1).ToArray<long>()));
loader.Epoch = 5;
var whole = Read(loader);
loader.Epoch = 5;
var before = Read(loader.Take(10));
(loader.Epoch, loader.Start) = (5, 10);
Console.WriteLine(whole == $"{before} {Read(loader)}" ? "resumed: the same bits" : "resumed: it differs");

sealed class Sentences(int count) : Dataset("sentences")
{
    public override int Count => count;

    public override Sample this[int index]
    {
        get
        {
            var words = Enumerable.Range(0, 3 + index * 7 % 40).Select(i => (long)(index + i) % 100).ToArray();
            return new()
            {
                [Field.Inputs] = Tensor.From(words),
                [Field.Targets] = Tensor.Scalar(index % 4, DType.Int64),
            };
        }
    }
}

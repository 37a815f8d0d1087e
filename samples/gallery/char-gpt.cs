#:project ../../src/Adjoint/Adjoint.csproj
// A character-level GPT, built from ops: token and position embeddings, pre-norm blocks of causal multi-head attention
// and an MLP, dropout; the output layer shares its weights with the embedding. It learns a small artificial language
// and generates text. The trainer captures its steps, and sampling the next character is a captured function.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Context = 32, Epochs = 5;
var random = new Generator(1);
var text = Sentences(1000);
var letters = text.Distinct().Order().ToArray();
var tokens = Tensor.From([.. text.Select(letter => (long)Array.IndexOf(letters, letter))]);
var model = new Gpt(letters.Length, Context, width: 48, heads: 4, depth: 2, dropout: 0.02, random);

// Rows of 32 characters, and of the characters that follow them.
var rows = (tokens.Length - 1) / Context;
var data = new TensorDataset("text",
    [(Field.Inputs, tokens[..(rows * Context)].Reshape(rows, Context)),
        (Field.Targets, tokens[1..(rows * Context + 1)].Reshape(rows, Context))]);
var training = new DataLoader(data, batchSize: 16, new() { Shuffle = true, Seed = 1 });
var optimizer = new AdamW(model.Parameters(), learningRate: 0.005);
Console.WriteLine(
    $"{text.Length} characters, {letters.Length} distinct; a uniform guess has loss {Math.Log(letters.Length):0.00}");
var result = new Trainer(model, optimizer, new NextTokenTask(), training).Fit(Epochs);
foreach (var epoch in result.Epochs.Skip(1)) Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.00}");
Console.WriteLine(result.Capture);

model.Eval();
var next = CapturedFunction.Create((Tensor context) =>
{
    using var noGrad = new NoGrad();
    var logits = model.Forward(context)[0, ^1] / 0.5; // the temperature
    // The argmax after adding Gumbel noise is a sample from the softmax.
    return (logits - (-Tensor.Rand(logits.Shape, random).Log()).Log()).ArgMax();
});
var written = text[..Context];
while (written.Length < 300)
{
    var context = written[^Context..].Select(letter => (long)Array.IndexOf(letters, letter)).ToArray();
    written += letters[next.Run(Tensor.From(context, 1, Context)).Item<long>()];
}
Console.WriteLine(written[Context..]);
var (known, words) = (Words(text).ToHashSet(), Words(written[Context..])[1..^1]);
Console.WriteLine($"{words.Average(word => known.Contains(word) ? 1.0 : 0):P0} of the generated words exist");

static string[] Words(string text) => text.Split([' ', '.', '\n'], StringSplitOptions.RemoveEmptyEntries);

// "a dog sees two birds." — the verb agrees with its subject.
string Sentences(int count)
{
    string[] nouns = ["dog", "bird", "child", "tree", "river"], verbs = ["see", "hear", "follow", "paint"];
    var order = random.Permutation(count * 8);
    string Noun(int i) => order[i] % 2 == 0 ? $"a {nouns[order[i] / 2 % 5]}" : $"two {nouns[order[i] / 2 % 5]}s";
    return string.Concat(Enumerable.Range(0, count).Select(i =>
        $"{Noun(i)} {verbs[order[i + 2 * count] % 4]}{(order[i] % 2 == 0 ? "s" : "")} {Noun(i + count)}.\n"));
}

sealed class Gpt : Layer
{
    readonly Embedding token;
    readonly Tensor position;
    readonly Sequential blocks;
    readonly LayerNorm norm;

    public Gpt(int letters, int context, int width, int heads, int depth, double dropout, Generator random)
    {
        token = AddChild("token", new Embedding(letters, width, random));
        position = AddParameter("position", Tensor.Randn([context, width], random));
        blocks = AddChild("blocks", new Sequential(
            [.. Enumerable.Range(0, depth).Select(i => new Block(width, heads, dropout, random))]));
        norm = AddChild("norm", new LayerNorm([width]));
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var y = blocks.Forward(token.Forward(x) + position[..x.Shape[1]]);
        return norm.Forward(y).MatMul(token.Weight.Transpose()) / Math.Sqrt(token.Weight.Shape[1]);
    }
}

sealed class Block : Layer
{
    readonly int heads;
    readonly LayerNorm before, between;
    readonly Linear queriesKeysValues, joined;
    readonly Dropout dropout;
    readonly Sequential perceptron;

    public Block(int width, int heads, double dropout, Generator random)
    {
        this.heads = heads;
        before = AddChild("before", new LayerNorm([width]));
        queriesKeysValues = AddChild("qkv", new Linear(width, 3 * width, generator: random));
        joined = AddChild("joined", new Linear(width, width, generator: random));
        this.dropout = AddChild("dropout", new Dropout(dropout, random));
        between = AddChild("between", new LayerNorm([width]));
        perceptron = AddChild("perceptron", new Sequential(
            new Linear(width, 4 * width, generator: random), new Gelu(),
            new Linear(4 * width, width, generator: random), new Dropout(dropout, random)));
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        x += dropout.Forward(Attention(before.Forward(x)));
        return x + perceptron.Forward(between.Forward(x));
    }

    Tensor Attention(Tensor x)
    {
        var (count, time, width) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        // (3, count, heads, time, width / heads)
        var parts = queriesKeysValues.Forward(x).Reshape(count, time, 3, heads, width / heads).Permute(2, 0, 3, 1, 4);
        var scores = parts[0].MatMul(parts[1].Transpose()) / Math.Sqrt(width / heads);
        var isLater = Tensor.Arange(time).Greater(Tensor.Arange(time).Unsqueeze(1));
        var weights = Tensor.Where(isLater, Tensor.Scalar(double.NegativeInfinity), scores).Softmax();
        var mixed = dropout.Forward(weights).MatMul(parts[2]).Permute(0, 2, 1, 3);
        return joined.Forward(mixed.Reshape(count, time, width));
    }
}

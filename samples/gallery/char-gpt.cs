#:project ../../src/Adjoint/Adjoint.csproj
// A character-level GPT: it learns a small artificial language from windows of 32 characters and writes in it. The
// trainer captures its steps; the generator keeps the keys and values of what it has written. Since the language is
// known, it can be checked what was learned: which words there are, and that the verb agrees with its subject.
using Adjoint;
using Adjoint.Data;
using Adjoint.Generation;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Context = 32, Epochs = 8;
var random = new Generator(1);
var text = Sentences(1000);
var characters = CharacterText.Fit(text);
var data = new TextDataset("text", [text], characters, Context);
GptOptions sizes = new() { Vocabulary = characters.Size, Context = Context, Width = 48, Heads = 4, Layers = 2 };
var model = new Gpt(sizes with { Dropout = 0.02 }, random);
var training = new DataLoader(data, batchSize: 16, new() { Shuffle = true, Seed = 1 });
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
Console.WriteLine($"{text.Length} characters, {characters.Characters.Length} distinct, {data.Count} windows; a uniform "
    + $"guess has loss {Math.Log(characters.Size):0.00}");
var trainer = new Trainer(model, optimizer, new NextTokenTask(), training)
{
    Schedule = Schedule.OneCycle(training.StepsIn(Epochs)),
};
var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Skip(1)) Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.00}");
Console.WriteLine(result.Capture);

var generator = new TextGenerator(model, characters);
var written = "";
foreach (var piece in generator.Generate("\n", new() { Temperature = 0.5, Seed = 1, MaxTokens = 600 }))
{
    Console.Write(piece);
    written += piece;
}
Console.WriteLine();
var (known, words) = (Words(text).ToHashSet(), Words(written)[..^1]);
Console.WriteLine($"{words.Average(word => known.Contains(word) ? 1.0 : 0):P0} of the generated words exist");
var sentences = written.Split('\n')[..^1].Select(Words).Where(words => words.Length == 5).ToArray();
Console.WriteLine($"{sentences.Average(Agrees):P0} of the verbs agree with their subject");

static string[] Words(string text) => text.Split([' ', '.', '\n'], StringSplitOptions.RemoveEmptyEntries);

// "a dog sees", "two dogs see"
static double Agrees(string[] words) => (words[0] == "a") == words[2].EndsWith('s') ? 1 : 0;

// "a dog sees two birds."
string Sentences(int count)
{
    string[] nouns = ["dog", "bird", "child", "tree", "river"], verbs = ["see", "hear", "follow", "paint"];
    var order = random.Permutation(count * 8);
    string Noun(int i) => order[i] % 2 == 0 ? $"a {nouns[order[i] / 2 % 5]}" : $"two {nouns[order[i] / 2 % 5]}s";
    return string.Concat(Enumerable.Range(0, count).Select(i =>
        $"{Noun(i)} {verbs[order[i + 2 * count] % 4]}{(order[i] % 2 == 0 ? "s" : "")} {Noun(i + count)}.\n"));
}

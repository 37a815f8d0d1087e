#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
#:project ../src/Adjoint.Formats/Adjoint.Formats.csproj
// From a CSV file to a web service: columns and their types are found, a network is trained on them and saved as one
// file, and an ASP.NET handler serves that file. At the end the program asks itself, so that it ends.
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Adjoint;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Epochs = 20;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;
var (csv, file) = (Path.Combine(folder, "cars.csv"), Path.Combine(folder, "model.safetensors"));
WriteCars(csv, 3000);

// What the columns hold is found and shown.
var table = CsvFile.Read(csv);
Console.Write(TableProfile.Of(table));

// A fifth of the rows is for validation; the encoder sees the others alone, and is kept with the model.
var random = new Generator(1);
var order = random.Permutation(table.RowCount);
var (seen, unseen) = (table.Take(order[(order.Length / 5)..]), table.Take(order[..(order.Length / 5)]));
var encoder = TableEncoder.Fit(seen, target: "price");
var training = new DataLoader(encoder.ToDataset(seen), batchSize: 32, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(encoder.ToDataset(unseen), batchSize: 1000);

var statistics = encoder.TargetStatistics;
var model = new Sequential(
    new Linear(encoder.InputCount, 64, generator: random), new Relu(), new Linear(64, 64, generator: random),
    new Relu(), new Linear(64, 1, generator: random), new Rescale(statistics));
var optimizer = new AdamW(model.Parameters(), learningRate: 0.005);
var task = new RegressionTask(scale: statistics.Deviation[0]) { Metrics = () => [new R2(), new Mae()] };
var trainer = new Trainer(model, optimizer, task, training, validation)
{
    Schedule = Schedule.OneCycle(training.StepsIn(Epochs)),
};
var measures = trainer.Fit(Epochs).Final.Metrics;
Console.WriteLine($"on rows that it has not seen: R² {measures["r2"]:0.000}, mean error {measures["mae"]:0}");
model.Save(file, new()
{
    Task = task.Name,
    TargetNames = ["price"],
    Preprocessing = encoder,
    Fields = training.Dataset.Fields,
    Metrics = measures,
});

// The service needs the file alone. Its predictor answers any number of requests at once.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
var predictor = Predictor.Load(file);
var columns = (TableEncoder)predictor.Info.Preprocessing!;
app.MapPost("/predict", (JsonElement row) =>
{
    try
    {
        return Results.Ok(new Answer(predictor.Predict(columns.Encode(row)).ValueOf(0), null));
    }
    catch (AdjointException problem)
    {
        return Results.BadRequest(new Answer(null, problem.Message));
    }
});
await app.StartAsync();

using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
var answers = await Task.WhenAll(Enumerable.Range(2000, 25).Select(year => Ask(
    new { maker = "Borealis", year, km = 80_000, power = 120 })));
Console.WriteLine($"25 requests at once: {answers[0].Price:0} for a car of 2000, {answers[^1].Price:0} for 2024");
Console.WriteLine($"a row without its columns: {(await Ask(new { maker = "Borealis" })).Error}");
await app.StopAsync();
Directory.Delete(folder, recursive: true);

async Task<Answer> Ask(object row)
{
    using var response = await client.PostAsJsonAsync("/predict", row);
    return (await response.Content.ReadFromJsonAsync<Answer>())!;
}

// price = 3000 + 90·power + 700·(year − 1998) − 0.04·km + a maker's premium + noise; 2 % of km are missing.
static void WriteCars(string path, int count)
{
    var chance = new Random(1);
    string[] makers = ["Astra", "Borealis", "Corvid"];
    File.WriteAllLines(path, Enumerable.Range(0, count).Select(_ =>
    {
        var (maker, year, km, power) =
            (chance.Next(3), chance.Next(2000, 2025), chance.Next(200_000), chance.Next(60, 250));
        var noise = Enumerable.Range(0, 12).Sum(_ => chance.NextDouble()) - 6; // nearly normal, with deviation 1
        var price = 3000 + 90 * power + 700 * (year - 1998) - 0.04 * km + 2500 * maker + 400 * noise;
        return $"{makers[maker]},{year},{(chance.Next(50) == 0 ? "" : km)},{power},{price:0}";
    }).Prepend("maker,year,km,power,price"));
}

sealed record Answer(double? Price, string? Error);

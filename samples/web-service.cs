#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
#:project ../src/Adjoint/Adjoint.csproj
// A model behind an ASP.NET handler: many concurrent requests, while the next version trains.
using System.Net.Http.Json;
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

var model = new Mlp(2, [16], 2, "relu", new Generator(1));
model.Eval(); // once, before the first request

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.MapPost("/predict", async (float[] features) =>
{
    var x = Tensor.From(features, 1, features.Length);
    await Task.Yield(); // whatever a request awaits
    using (new NoGrad()) return model.Forward(x).Softmax().ToArray<float>();
});
await app.StartAsync();

// What the service does all day: answer requests, while another model trains on its own thread.
var training = Task.Run(() => Train(new Mlp(2, [16], 2, "relu", new Generator(2))));
using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
var points = Enumerable.Range(0, 64).Select(i => new[] { i % 8 / 4f - 1, i / 8 / 4f - 1 }).ToArray();
var answers = await Task.WhenAll(points.Select(Ask));
var alone = new List<float[]>();
foreach (var point in points) alone.Add(await Ask(point));
var isSame = answers.Zip(alone).All(pair => pair.First.SequenceEqual(pair.Second));
Console.WriteLine($"64 requests at once: {(isSame ? "the same bits as sequential ones" : "they differ")}");
Console.WriteLine(await training ? "meanwhile, the next model learned" : "the next model did not learn");
await app.StopAsync();

async Task<float[]> Ask(float[] point)
{
    using var response = await client.PostAsJsonAsync("/predict", point);
    return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<float[]>())!;
}

static bool Train(Mlp next)
{
    var optimizer = new Adam(next.Parameters(), 0.01);
    var x = Tensor.Randn([256, 2], new Generator(3));
    var y = x.Square().Sum(1).Greater(1.5).To(DType.Int64);
    double first = 0, last = 0;
    for (var step = 0; step < 200; step++)
    {
        optimizer.ZeroGrad();
        var loss = Loss.CrossEntropy(next.Forward(x), y);
        loss.Backward();
        optimizer.Step();
        last = loss.Item();
        if (step == 0) first = last;
    }
    return last < first / 2;
}

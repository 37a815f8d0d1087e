using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;

/// <summary>The service answers as its clients expect.</summary>
public sealed class ServiceTests(TrainedService service) : IClassFixture<TrainedService>
{
    private readonly CancellationToken stop = TestContext.Current.CancellationToken;

    [Fact]
    public void The_model_predicts_what_it_has_not_seen() =>
        Assert.True(service.Measures["r2"] > 0.95, $"r2 is {service.Measures["r2"]}");

    [Fact]
    public async Task A_newer_car_costs_more()
    {
        Assert.True(await Price(2020) > await Price(2008));

        async Task<double> Price(int year)
        {
            var row = new { maker = "Dynamo", year, km = 60_000, power = 120, electric = "no" };
            using var response = await service.Client.PostAsJsonAsync("/predict", row, stop);
            var answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Service.Answer>(stop);
            return answer!.Price;
        }
    }

    [Fact]
    public async Task A_request_that_lacks_a_column_gets_a_reason()
    {
        using var response = await service.Client.PostAsJsonAsync("/predict", new { maker = "Dynamo" }, stop);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<Service.Problem>(stop);
        Assert.Contains("year", problem!.Error);
    }
}

/// <summary>What all tests share: a model that was trained briefly, served on a free port.</summary>
public sealed class TrainedService : IAsyncLifetime
{
    private readonly string model = Path.GetTempFileName();
    private WebApplication service = null!;

    /// <summary>The measures of the model on rows that it has not seen.</summary>
    public IReadOnlyDictionary<string, double> Measures { get; private set; } = null!;

    /// <summary>Asks the service.</summary>
    public HttpClient Client { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Measures = Training.Run(Path.Combine(AppContext.BaseDirectory, "data", "cars.csv"), model, epochs: 20);
        service = Service.Create(model, "--urls", "http://127.0.0.1:0");
        await service.StartAsync(TestContext.Current.CancellationToken);
        Client.BaseAddress = new(service.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await service.DisposeAsync();
        File.Delete(model);
    }
}

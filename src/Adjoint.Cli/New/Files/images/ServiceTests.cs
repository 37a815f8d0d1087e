using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;

/// <summary>The service answers as its clients expect.</summary>
public sealed class ServiceTests(TrainedService service) : IClassFixture<TrainedService>
{
    private readonly CancellationToken stop = TestContext.Current.CancellationToken;

    [Fact]
    public void The_model_recognizes_what_it_has_not_seen() =>
        Assert.True(service.Measures["accuracy"] > 0.9, $"accuracy is {service.Measures["accuracy"]}");

    [Fact]
    public async Task The_class_of_an_image_is_named()
    {
        var file = await File.ReadAllBytesAsync(Path.Combine(TrainedService.Images, "circle", "01.png"), stop);
        using var response = await service.Client.PostAsync("/predict", new ByteArrayContent(file), stop);
        var answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Service.Answer>(stop);
        Assert.Equal("circle", answer!.Class);
        Assert.InRange(answer.Probability, 1.0 / 3, 1);
    }

    [Fact]
    public async Task What_is_no_image_gets_a_reason()
    {
        using var response = await service.Client.PostAsync("/predict", new StringContent("no image"), stop);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await response.Content.ReadFromJsonAsync<Service.Problem>(stop);
        Assert.Contains("the image", problem!.Error);
    }
}

/// <summary>What all tests share: a model that was trained briefly, served on a free port.</summary>
public sealed class TrainedService : IAsyncLifetime
{
    /// <summary>The images that the model learns from.</summary>
    public static readonly string Images = Path.Combine(AppContext.BaseDirectory, "data", "shapes");

    private readonly string model = Path.GetTempFileName();
    private WebApplication service = null!;

    /// <summary>The measures of the model on images that it has not seen.</summary>
    public IReadOnlyDictionary<string, double> Measures { get; private set; } = null!;

    /// <summary>Asks the service.</summary>
    public HttpClient Client { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Measures = Training.Run(Images, model, epochs: 20);
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

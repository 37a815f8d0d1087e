using Adjoint;
using Adjoint.Data;
using Adjoint.Formats;
using Adjoint.Training;

/// <summary>Predictions over HTTP.</summary>
public static class Service
{
    /// <summary>Makes the web application: POST /predict with a PNG or JPEG file as the body.</summary>
    /// <param name="model">The file that the training wrote.</param>
    /// <param name="args">Options of the command line, such as --urls http://localhost:8080.</param>
    public static WebApplication Create(string model, params string[] args)
    {
        // One predictor answers all requests, on any number of threads. The file says how images become its inputs.
        var predictor = Predictor.Load(model);
        var preprocessing = (ImagePreprocessing)predictor.Info.Preprocessing!;

        var app = WebApplication.CreateBuilder(args).Build();
        app.MapPost("/predict", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            try
            {
                var image = ImageFile.Read(body.ToArray(), "the image");
                var prediction = predictor.Predict(preprocessing.Apply(image).Unsqueeze(0));
                var found = prediction.ClassOf(0);
                return Results.Ok(new Answer(prediction.Names[found], prediction.ValueOf(0, found)));
            }
            catch (AdjointException problem)
            {
                // It is no image, or damaged: the message says what was found.
                return Results.BadRequest(new Problem(problem.Message));
            }
        });
        return app;
    }

    /// <summary>The class of an image, and how sure the network is.</summary>
    public sealed record Answer(string Class, double Probability);

    /// <summary>What is wrong with a request.</summary>
    public sealed record Problem(string Error);
}

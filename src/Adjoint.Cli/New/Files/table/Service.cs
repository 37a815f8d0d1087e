using System.Text.Json;
using Adjoint;
using Adjoint.Data.Tables;
using Adjoint.Training;

/// <summary>Predictions over HTTP.</summary>
public static class Service
{
    /// <summary>Makes the web application: POST /predict with the columns of a row, as a JSON object.</summary>
    /// <param name="model">The file that the training wrote.</param>
    /// <param name="args">Options of the command line, such as --urls http://localhost:8080.</param>
    public static WebApplication Create(string model, params string[] args)
    {
        // One predictor answers all requests, on any number of threads. The file says how columns become its inputs.
        var predictor = Predictor.Load(model);
        var encoder = (TableEncoder)predictor.Info.Preprocessing!;

        var app = WebApplication.CreateBuilder(args).Build();
        app.MapPost("/predict", (JsonElement row) =>
        {
            try
            {
                var prediction = predictor.Predict(encoder.Encode(row));
                return Results.Ok(new Answer(prediction.ValueOf(0)));
            }
            catch (AdjointException problem)
            {
                // A column is missing, or holds something else than in training: the message says which.
                return Results.BadRequest(new Problem(problem.Message));
            }
        });
        return app;
    }

    /// <summary>The prediction of a row.</summary>
    public sealed record Answer(double Price);

    /// <summary>What is wrong with a request.</summary>
    public sealed record Problem(string Error);
}

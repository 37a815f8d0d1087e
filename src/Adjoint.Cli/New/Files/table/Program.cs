// dotnet run --project app -- train    learns from data/cars.csv, and writes model.safetensors
// dotnet run --project app             serves predictions: http://localhost:5000
const string Data = "data/cars.csv", Model = "model.safetensors";

if (args is ["train"])
{
    Training.Run(Data, Model, epochs: 40);
    return;
}
if (!File.Exists(Model))
{
    Console.Error.WriteLine($"{Model}: not there yet; dotnet run --project app -- train makes it");
    Environment.Exit(1);
}
Service.Create(Model, args).Run();

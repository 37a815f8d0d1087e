using System.Globalization;
using System.Text;

namespace Adjoint.Cli;

/// <summary>
/// The example data of a new project: used cars. price = 3000 + 90·power + 700·(year − 1998) − 0.04·km + a maker's
/// premium + 6000 if electric + normal noise with deviation 400; 2 % of km are missing.
/// </summary>
internal static class ExampleTable
{
    private const int Rows = 1500;

    private static readonly (string Name, int Premium)[] Makers =
        [("Astra", 0), ("Borealis", 2500), ("Corvid", -800), ("Dynamo", 5200), ("Elan", 1200)];

    /// <summary>The text of the file, always the same.</summary>
    internal static string Csv()
    {
        var random = new Random(1);
        var text = new StringBuilder("maker,year,km,power,electric,price\n");
        for (var row = 0; row < Rows; row++)
        {
            var (maker, premium) = Makers[random.Next(Makers.Length)];
            var (year, km, power) = (random.Next(2000, 2025), random.Next(0, 200_000), random.Next(60, 250));
            var isElectric = random.Next(5) == 0;
            var noise = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var price = 3000 + 90 * power + 700 * (year - 1998) - 0.04 * km + premium + (isElectric ? 6000 : 0)
                + 400 * noise;
            var distance = random.Next(50) == 0 ? "" : $"{km}";
            text.Append(CultureInfo.InvariantCulture,
                $"{maker},{year},{distance},{power},{(isElectric ? "yes" : "no")},{price:0}\n");
        }
        return text.ToString();
    }
}

using OxyPlot;

namespace Adjoint.Experiments;

/// <summary>How curves in a figure are told apart: by colors, and by dashes in print.</summary>
/// <param name="Color">The color of the curve.</param>
/// <param name="Style">The dashes of the curve.</param>
internal readonly record struct CurveLook(OxyColor Color, LineStyle Style)
{
    // Okabe and Ito's palette, without its yellow, which is lost on white: told apart by color-blind readers too.
    private static readonly OxyColor[] Colors =
    [
        OxyColor.FromRgb(0, 114, 178), OxyColor.FromRgb(213, 94, 0), OxyColor.FromRgb(0, 158, 115),
        OxyColor.FromRgb(204, 121, 167), OxyColors.Black, OxyColor.FromRgb(86, 180, 233),
        OxyColor.FromRgb(230, 159, 0),
    ];

    private static readonly LineStyle[] Styles =
    [
        LineStyle.Solid, LineStyle.Dash, LineStyle.DashDot, LineStyle.LongDash, LineStyle.Dot, LineStyle.DashDotDot,
        LineStyle.LongDashDot,
    ];

    /// <summary>How many looks there are before a color comes again, with other dashes.</summary>
    internal static int Count => Colors.Length;

    /// <summary>The look of a curve by its place among the others.</summary>
    internal static CurveLook Of(int place) => new(Colors[place % Colors.Length],
        Styles[(place + place / Colors.Length) % Styles.Length]);
}

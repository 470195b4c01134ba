// The part of ECharts that the pages use, as the global `echarts`: SVG renderer, bars and lines. A page with everything
// stays under 350 kB over the wire; the heat map of hours and the regions are plain HTML tables, which also go into mails.
export { init, dispose, getInstanceByDom } from "echarts/core";
import { use } from "echarts/core";
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

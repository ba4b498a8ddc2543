package org.sparkqlora.spark.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.watch.CurvePoint;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ChartTest {
    @Test
    void aChartIsWellFormedAndNamesItself() throws Exception {
        Document figure = parse(chart("a <b> & \"c\"", points(1, 2, 3)).html());

        assertThat(figure.getElementsByTagName("title").item(0).getTextContent())
                .isEqualTo("a <b> & \"c\"");
        assertThat(figure.getElementsByTagName("desc").item(0).getTextContent())
                .isEqualTo("each step: from 1.0000 at step 1 to 3.0000 at step 3.");
        assertThat(figure.getElementsByTagName("tr").getLength()).isEqualTo(4);
    }

    @Test
    void oneValueIsAMark() throws Exception {
        Document figure = parse(chart("loss", points(2)).html());

        assertThat(figure.getElementsByTagName("circle").getLength()).isEqualTo(1);
    }

    @Test
    void noValueIsSaid() {
        assertThat(chart("loss", List.of()).html()).contains("No values yet.");
    }

    @Test
    void theTableOfALongCurveIsShortAndHasItsLastValue() throws Exception {
        Document figure = parse(
                chart("loss", points(IntStream.range(0, 400).asDoubleStream().toArray()))
                        .html());

        assertThat(figure.getElementsByTagName("tr").getLength()).isLessThanOrEqualTo(22);
        assertThat(figure.getElementsByTagName("table").item(0).getTextContent())
                .endsWith("400399.0");
    }

    @ParameterizedTest(name = "{0} to {1}")
    @CsvSource({"0, 1", "2.13, 4.87", "1e-7, 2e-4", "5, 5", "0, 0", "-3, 1e9"})
    void ticksAreRoundAndHoldAllValues(double least, double most) {
        Axis axis = Axis.around(least, most, 4);

        assertThat(axis.low()).isLessThanOrEqualTo(least);
        assertThat(axis.high()).isGreaterThanOrEqualTo(most * (1 - 1e-9));
        assertThat(axis.ticks()).hasSizeBetween(2, 8);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"0.0002, 2e-4", "6.74e-5, 6.74e-5", "2.21471, 2.2147", "1101.4, '1,101'", "2.5e7, 2.5e7", "0, 0"})
    void numbersAreShort(double value, String text) {
        assertThat(Amount.number(value)).isEqualTo(text);
    }

    private static Chart chart(String title, List<CurvePoint> points) {
        return new Chart(
                "key", title, "", Chart.Base.ZERO, Line.withTrend(points).subList(0, 1));
    }

    private static List<CurvePoint> points(double... values) {
        return IntStream.range(0, values.length)
                .mapToObj(i -> new CurvePoint(i + 1, values[i], values[i], values[i], 1))
                .toList();
    }

    private static Document parse(String html) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(html)));
    }
}

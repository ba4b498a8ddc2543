package org.sparkqlora.spark.ui;

import java.util.List;

/** Pieces of HTML. All text from outside goes through {@link #escape}. */
final class Html {
    private Html() {}

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    /**
     * A table that scrolls by itself where the page is narrow.
     *
     * @param caption describes the content
     * @param heads of its columns
     * @param rows cells as text; the first of a row is its head
     */
    static String table(String caption, List<String> heads, List<List<String>> rows) {
        StringBuilder html = new StringBuilder();
        html.append("<div class=\"scroll\" role=\"region\" aria-label=\"%s\" tabindex=\"0\"><table><caption>"
                .formatted(escape(caption)));
        html.append(escape(caption)).append("</caption><thead><tr>");
        heads.forEach(
                head -> html.append("<th scope=\"col\">").append(escape(head)).append("</th>"));
        html.append("</tr></thead><tbody>");
        rows.forEach(row -> append(html, row));
        return html.append("</tbody></table></div>").toString();
    }

    /** Closed until it is asked for; {@code key} keeps it open when the page is drawn again. */
    static String details(String key, String summary, String content) {
        return "<details data-key=\"%s\"><summary>%s</summary>%s</details>"
                .formatted(escape(key), escape(summary), content);
    }

    static String section(String title, String content) {
        return "<section><h2>%s</h2>%s</section>".formatted(escape(title), content);
    }

    private static void append(StringBuilder html, List<String> row) {
        html.append("<tr><th scope=\"row\">").append(escape(row.get(0))).append("</th>");
        row.subList(1, row.size())
                .forEach(cell -> html.append("<td>").append(escape(cell)).append("</td>"));
        html.append("</tr>");
    }
}

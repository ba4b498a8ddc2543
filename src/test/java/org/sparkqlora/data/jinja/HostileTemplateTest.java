package org.sparkqlora.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.TemplateLimits;

/** Templates that grow, nest or work without end, and operations on values they do not expect: all end with a TemplateException. */
@Timeout(60)
class HostileTemplateTest {
    private static final String GROWN =
            "{% set ns = namespace(x='ab') %}{% for i in range(20) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";

    /** A quarter of the usual text, items and work, which takes a quarter of the time to use up. */
    private static final TemplateLimits QUARTER = quarter(TemplateLimits.DEFAULT);

    /** Three quarters of what a thread has where nobody says otherwise. */
    private static final long SMALL_STACK = 768 << 10;

    static Stream<Arguments> endless() {
        return Stream.of(
                Arguments.of("doubles a text", GROWN.replace("20", "31"), "chars of text"),
                Arguments.of("doubles a list", GROWN.replace("'ab'", "[1]").replace("~", "+"), "items of lists"),
                Arguments.of("repeats a text", "{{ 'ab' * 9223372036854775807 }}", "chars of text"),
                Arguments.of("indents JSON", "{{ [1]|tojson(indent=2147483647) }}", "chars of text"),
                Arguments.of("indents JSON by long", "{{ [1]|tojson(indent=9223372036854775807) }}", "chars of text"),
                Arguments.of("indents lines", "{{ ('\n' * 100000)|indent(100000, true, true) }}", "chars of text"),
                Arguments.of("joins", "{{ ('a' * 100000)|join('b' * 100000) }}", "chars of text"),
                Arguments.of("replaces", "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}", "chars of text"),
                Arguments.of("replaces nothing", "{{ ('a' * 100000)|replace('', 'b' * 100000) }}", "chars of text"),
                Arguments.of("counts far", "{{ range(9223372036854775807)|length }}", "items of lists"),
                Arguments.of(
                        "loops",
                        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
                        "items of lists"),
                Arguments.of(
                        "loops in loops",
                        "{% set r = range(100000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}",
                        "items of lists"),
                Arguments.of(
                        "calls itself twice",
                        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
                        "steps of work"),
                Arguments.of(
                        "compares all with all", "{% set r = range(20000) %}{{ r|map('list', [])|unique }}", "cannot"),
                Arguments.of(
                        "searches nearly equal texts",
                        GROWN + "{% set part = ns.x[:250000] ~ 'c' %}{{ part in ns.x }}",
                        "steps of work"),
                Arguments.of(
                        "searches backwards",
                        GROWN
                                + "{% set part = 'c' ~ ns.x[:250000] %}{{ ns.x.rfind(part) }}{{ ns.x.find(ns.x[1:250000] ~ 'c') }}",
                        "steps of work"),
                Arguments.of(
                        "searches again and again",
                        GROWN + "{% for i in range(250000) %}{% if 'c' in ns.x %}{% endif %}{% endfor %}",
                        "steps of work"),
                Arguments.of("takes a text apart", GROWN + "{% for c in ns.x %}{% endfor %}", "items of lists"),
                Arguments.of("splits at space", "{% set t = 'a ' * 1250000 %}{{ t.split() }}", "items of lists"),
                Arguments.of(
                        "splits from the right", "{% set t = 'a,' * 1250000 %}{{ t.rsplit(',') }}", "items of lists"),
                Arguments.of("splits lines", "{% set t = 'a\n' * 1250000 %}{{ t.splitlines() }}", "items of lists"),
                Arguments.of(
                        "strips with many",
                        "{% set s = 'b' * 100000 ~ 'a' %}{{ ('a' * 1000000).strip(s) }}",
                        "steps of work"),
                Arguments.of("writes shared lists", shared("{{ ns.x }}", 40), "chars of text"),
                Arguments.of("writes shared lists as JSON", shared("{{ ns.x|tojson }}", 40), "chars of text"),
                Arguments.of("compares shared lists", shared("{{ ns.x == ns.y }}", 60), "steps of work"),
                Arguments.of("orders shared lists", shared("{{ ns.x < ns.y }}", 60), "steps of work"),
                Arguments.of("lowers shared lists", shared("{{ [ns.x]|unique }}", 60), "items of lists"),
                Arguments.of("writes a deep list", deep("{{ ns.x }}"), "nested more than 200 deep"),
                Arguments.of("writes a deep list as JSON", deep("{{ ns.x|tojson }}"), "nested more than 200 deep"),
                Arguments.of("compares deep lists", deep("{{ ns.x == ns.y }}"), "levels of nesting"),
                Arguments.of("orders deep lists", deep("{{ ns.x < ns.y }}"), "levels of nesting"),
                Arguments.of("sorts deep lists", deep("{{ [ns.x, ns.y]|sort }}"), "levels of nesting"),
                Arguments.of("refuses at length", GROWN + "{{ raise_exception(ns.x) }}", "the template refuses"),
                Arguments.of("calls itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "levels of nesting"));
    }

    private static TemplateLimits quarter(TemplateLimits limits) {
        return new TemplateLimits(
                limits.sourceChars(),
                limits.sourceDepth(),
                limits.chars() / 4,
                limits.items() / 4,
                limits.steps() / 4,
                limits.depth(),
                limits.valueDepth(),
                limits.time(),
                limits.searchChars());
    }

    private static String shared(String use, int times) {
        return "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(" + times
                + ") %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}" + use;
    }

    private static String deep(String use) {
        return "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}"
                + use;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endless")
    void aTemplateWithoutEndIsStopped(String what, String source, String limit) throws InterruptedException {
        Throwable thrown = onASmallStack(() -> Template.parse(source, QUARTER).render(Map.of()));

        assertThat(thrown).isInstanceOf(TemplateException.class).hasMessageContaining(limit);
        assertThat(thrown).message().hasSizeLessThan(2000);
    }

    @Test
    void aTextThatIsNearlyANumberIsReadOnce() {
        assertThat(Template.parse("{{ ('1' * 1000000 ~ 'x')|float(7) }}").render(Map.of()))
                .isEqualTo("7");
    }

    static Stream<Arguments> nested() {
        return Stream.of(
                Arguments.of("sums", "{{ " + "1+".repeat(30_000) + "1 }}"),
                Arguments.of("products", "{{ " + "1*".repeat(30_000) + "1 }}"),
                Arguments.of("powers", "{{ " + "1**".repeat(30_000) + "1 }}"),
                Arguments.of("ands", "{{ " + "1 and ".repeat(30_000) + "1 }}"),
                Arguments.of("ors", "{{ " + "0 or ".repeat(30_000) + "1 }}"),
                Arguments.of("nots", "{{ " + "not ".repeat(30_000) + "1 }}"),
                Arguments.of("signs", "{{ " + "- ".repeat(30_000) + "1 }}"),
                Arguments.of("conditions", "{{ " + "1 if 1 else ".repeat(30_000) + "1 }}"),
                Arguments.of("conditions without else", "{{ 1" + " if 1".repeat(30_000) + " }}"),
                Arguments.of("fields", "{{ x" + ".a".repeat(30_000) + " }}"),
                Arguments.of("items", "{{ x" + "[0]".repeat(30_000) + " }}"),
                Arguments.of("calls", "{{ x" + "()".repeat(30_000) + " }}"),
                Arguments.of("filters", "{{ x" + "|string".repeat(30_000) + " }}"),
                Arguments.of("tests", "{{ x" + " is defined".repeat(30_000) + " }}"),
                Arguments.of("parentheses", "{{ " + "(".repeat(30_000) + "1" + ")".repeat(30_000) + " }}"),
                Arguments.of("lists", "{{ " + "[".repeat(30_000) + "1" + "]".repeat(30_000) + " }}"),
                Arguments.of("mappings", "{{ " + "{1:".repeat(30_000) + "1" + "}".repeat(30_000) + " }}"),
                Arguments.of("arguments", "{{ " + "f(".repeat(30_000) + "1" + ")".repeat(30_000) + " }}"),
                Arguments.of("arguments of tests", "{{ " + "1 is f(".repeat(30_000) + "1" + ")".repeat(30_000) + " }}"),
                Arguments.of("targets", "{% for " + "(".repeat(30_000) + "x" + ")".repeat(30_000) + " in y %}"),
                Arguments.of("blocks", "{% if 1 %}".repeat(30_000)),
                Arguments.of("loops", "{% for x in y %}".repeat(30_000)),
                Arguments.of("macros", "{% macro f() %}".repeat(30_000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("nested")
    void aTemplateNestedTooDeepIsRefused(String what, String source) throws InterruptedException {
        assertThat(onASmallStack(() -> Template.parse(source)))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Cannot parse the template, line 1: expected at most 200 levels of nesting");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "loop.cycle()",
                "'a'.split('')",
                "{[1]: 2}",
                "{}.get([1])",
                "[1] in {}",
                "1|tojson(sort_keys=true, indent=-5)",
                "{1: 2, 'a': 3}|tojson(sort_keys=true)",
                "{none: 2, 'a': 3}|tojson(sort_keys=true)",
                "[1, 'a']|min",
                "[1, 'a']|max",
                "[none]|sum",
                "[1, 'a']|sort",
                "{1: 2, 'a': 3}|dictsort",
                "1|items",
                "'a'|abs",
                "none|round",
                "'abc'|indent('x', 1)|indent(none)",
                "'abc'.replace('a')",
                "x|map('nosuch')",
                "[1]|map(attribute='a.b.c')",
                "[[1]]|map(attribute='99999999999999999999.b')",
                "''.join([1])",
                "1 % 0",
                "1.0 % 0",
                "1 // 0.0",
                "5 is divisibleby 0",
                "none is divisibleby 2",
                "9223372036854775807 ** 2",
                "big + 1",
                "big // 2",
                "range(1, 2, 0)",
                "range('a')",
                "dict(1, 2)()",
                "namespace([1]).x.y",
                "strftime_now('%Q')",
                "[1][::0]",
                "'abc'[none:'a']",
                "x[1:2]",
                "none[0].a",
                "raise_exception(range)",
                "range ~ 1",
                "namespace()|string",
                "loop|tojson",
                "'a'|attr(1)",
                "[1]|join(range)",
            })
    void aFailureOfAnOperationNamesTheLine(String expression) {
        Map<String, @Nullable Object> variables = new HashMap<>();
        variables.put("x", Map.of("a", List.of()));
        variables.put("big", new java.math.BigInteger("99999999999999999999"));
        Template template = Template.parse("{% for i in [1] %}\n{{ " + expression + " }}\n{{ none.x.y }}{% endfor %}");

        assertThatThrownBy(() -> template.render(variables))
                .isInstanceOf(TemplateException.class)
                .hasMessageMatching("Cannot render the template, line [23]: .*")
                .hasMessageNotContaining("an operation failed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'\\Uffffffff'", "'\\U00110000'"})
    void anEscapeBeyondUnicodeIsRefused(String literal) {
        assertThatThrownBy(() -> Template.parse("a\n{{ " + literal + " }}"))
                .isInstanceOf(TemplateException.class)
                .hasMessageStartingWith(
                        "Cannot parse the template, line 2: expected an escape up to \\U0010ffff, found \\U");
    }

    @Test
    void longNumbersAndTextsOfTheSourceAreReadAndShownInPart() throws InterruptedException {
        assertThat(onASmallStack(() -> Template.parse("{{ " + "1_".repeat(100_000) + "1 }}")))
                .isInstanceOf(TemplateException.class)
                .hasMessageStartingWith("Cannot parse the template, line 1: expected an integer of 64 bits, found 111");
        assertThat(onASmallStack(() -> Template.parse("{{ 1 '" + "x".repeat(100_000) + "' }}")))
                .hasMessage("Cannot parse the template, line 1: expected '}}', found the string '" + "x".repeat(40)
                        + "...'");
        assertThat(onASmallStack(() -> Template.parse("x".repeat((1 << 20) + 1))))
                .hasMessage("Cannot parse the template, line 1: expected at most 1048576 chars, found 1048577");
    }

    @Test
    void aStackSmallerThanTheLimitsAllowForIsNoError() throws InterruptedException {
        TemplateLimits deep =
                new TemplateLimits(1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 24, 1 << 24, 10, Duration.ofMinutes(1), 1);
        String source = "{{ " + "(".repeat(20_000) + "1" + ")".repeat(20_000) + " }}";
        assertThat(onASmallStack(() -> Template.parse(source, deep)))
                .isInstanceOf(TemplateException.class)
                .hasMessage(
                        "Cannot parse the template, line 1: expressions or blocks are nested too deep for this thread");

        Template recursive = Template.parse("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", deep);
        assertThat(onASmallStack(() -> recursive.render(Map.of())))
                .isInstanceOf(TemplateException.class)
                .hasMessage(
                        "Cannot render the template, line 1: expressions, blocks or calls are nested too deep for this thread");
    }

    @Test
    void aRenderingEndsWithItsTime() {
        TemplateLimits noTime = new TemplateLimits(1000, 20, 1000, 1000, 1000, 20, 20, Duration.ZERO, 1);

        assertThatThrownBy(() -> Template.parse("{{ 1 + 1 }}", noTime).render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessage(
                        "Cannot render the template, line 1: expected at most 0 seconds of work. --template-budget allows more");
    }

    @Test
    void aTemplateMayUseMoreWhereThatIsAllowed() {
        Template template = Template.parse("{% for i in range(90000) %}{% set x = range(60) %}{% endfor %}done");

        assertThatThrownBy(() -> template.render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("allow more with --template-budget");
        assertThat(template.within(TemplateLimits.DEFAULT.times(3)).render(Map.of()))
                .isEqualTo("done");
    }

    @Test
    void aMacroCallsItselfAsDeepAsSchemasOfToolsNeed() throws InterruptedException {
        AtomicReference<String> text = new AtomicReference<>();
        String source =
                "{% macro f(n) %}{% if n > 0 %}{% for i in [n] %}{{ '(' ~ f(i - 1)|trim ~ ')' }}{% endfor %}{% endif %}{% endmacro %}{{ f(50) }}";

        assertThat(onASmallStack(() -> text.set(Template.parse(source).render(Map.of()))))
                .isNull();
        assertThat(text.get()).isEqualTo("(".repeat(50) + ")".repeat(50));
    }

    @Test
    void aLongConversationStaysWithinTheLimits() {
        List<Object> messages = new ArrayList<>();
        for (int i = 0; i < 8000; i++) {
            messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "word ".repeat(100)));
        }

        String source =
                "{% for message in messages %}{{ '<' + message['role'] + '>\n' + message['content'] | trim + '</s>\n' }}"
                        + "{% if loop.last or messages[loop.index0 - 1].role == 'user' %} {% endif %}{% endfor %}";
        assertThat(Template.parse(source).render(Map.of("messages", messages))).hasSizeGreaterThan(8000 * 500);
    }

    @Test
    void textsAreTakenApartAsPythonDoes() {
        Map<String, String> expected = new HashMap<>();
        expected.put("'aXbXc'.rsplit('X', 1)", "['aXb', 'c']");
        expected.put("'aXbXc'.rsplit('X')", "['a', 'b', 'c']");
        expected.put("'aaa'.rsplit('aa')", "['a', '']");
        expected.put("'aaa'.split('aa')", "['', 'a']");
        expected.put("' a  b c '.split(none, 1)", "['a', 'b c ']");
        expected.put("'abab'.rfind('ab')", "2");
        expected.put("'abab'.rfind('')", "4");
        expected.put("'abab'.find('ba')", "1");
        expected.put("'abab'.count('ab')", "2");
        expected.put("'ab'.replace('', '-')", "-a-b-");
        expected.put("'ab'.replace('', '-', 2)", "-a-b");
        expected.put("'abab'.replace('ab', 'c', 1)", "cab");
        expected.put("'a\uD83D\uDE00b'[1:]", "\uD83D\uDE00b");
        expected.put("'a\uD83D\uDE00b'[::-1]", "b\uD83D\uDE00a");
        expected.put("'a\uD83D\uDE00b'[-2]", "\uD83D\uDE00");
        expected.put("'a\nb\n\nc'|indent(2)", "a\n  b\n\n  c");
        expected.put("'a\n\nb'|indent(1, true, true)", " a\n \n b");
        expected.put("'a-b c_d'|wordcount", "3");
        expected.put("['b', 'A', 'a', 1, 1.0, true]|unique", "['b', 'A', 1]");
        expected.put("['b', 'A', 'c']|min", "A");
        expected.put("['b', 'A', 'c']|max", "c");
        expected.put("[]|min is defined", "False");
        expected.put("{'b': 1, 'A': {}}|dictsort", "[['A', {}], ['b', 1]]");
        expected.put("{'b': 1, 'a': 2}|tojson(sort_keys=true)", "{\"a\": 2, \"b\": 1}");
        expected.put("[1, {'a': []}]|tojson(indent=2)", "[\n  1,\n  {\n    \"a\": []\n  }\n]");
        expected.put("'a<b>&\\'\"'|e", "a&lt;b&gt;&amp;&#39;&#34;");
        expected.put("1_000 + 1_0.5", "1010.5");
        expected.forEach((expression, text) -> assertThat(
                        Template.parse("{{ " + expression + " }}").render(Map.of()))
                .as(expression)
                .isEqualTo(text));
    }

    /** The error that {@code work} throws on a thread of a small stack; null for none. */
    private static @Nullable Throwable onASmallStack(Runnable work) throws InterruptedException {
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(null, work, "small stack", SMALL_STACK);
        thread.setUncaughtExceptionHandler((ignored, failure) -> thrown.set(failure));
        thread.start();
        thread.join();
        return thrown.get();
    }
}

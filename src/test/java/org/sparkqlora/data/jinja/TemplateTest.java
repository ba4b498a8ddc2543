package org.sparkqlora.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.jinja.Rendering.Span;

/** Failures (limits are in {@link HostileTemplateTest}); what templates write is compared with transformers in {@code ChatTemplateTest}. */
class TemplateTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            value = {
                "a\\n{{ x#2: expected the end of a tag, found the end of the template",
                "{{ 'x }}#1: expected ' at the end of a string, found the end of the template",
                "{{ (1] }}#1: expected ), found ]",
                "{{ 1 + }}#1: expected an expression, found '}}'",
                "{{ a b }}#1: expected '}}', found 'b'",
                "{{ $ }}#1: expected an expression, found '$'",
                "\\n{% if x %}\\n#2: expected {% elif %} or {% else %} or {% endif %}, found the end of the template",
                "{% endif %}#1: unsupported block {% endif %}",
                "{% include 'x' %}#1: unsupported block {% include %}",
                "{% for x y %}{% endfor %}#1: expected 'in', found 'y'",
                "{{ f(a=1, 2) }}#1: expected name=value after another argument of this form, found '2'",
                "{{ 99999999999999999999 }}#1: expected an integer of 64 bits, found 99999999999999999999",
            })
    void namesTheLineOfAMistake(String source, String problem) {
        assertThatThrownBy(() -> Template.parse(source.replace("\\n", "\n")))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Cannot parse the template, line " + problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            value = {
                "a\\n\\n{{ missing.field }}#3: 'missing' is undefined",
                "{{ x.a.b }}#1: 'a' of a mapping is undefined",
                "{{ 'a' + 1 }}#1: unsupported operands of +: a string and a number",
                "{{ 1 // 0 }}#1: division by zero",
                "{{ 0.0 ** -1 }}#1: division by zero",
                "{{ {}|dictsort(by='x') }}#1: cannot sort a mapping by 'x': expected key or value",
                "{{ 9223372036854775807 + 1 }}#1: 9223372036854775807 + 1 does not fit 64 bits",
                "{{ 'a' < 1 }}#1: cannot compare a string with a number",
                "{{ 1 in 'a' }}#1: cannot look for a number in a string",
                "{% for i in 5 %}{% endfor %}#1: cannot go through a number",
                "{{ x.items()() }}#1: cannot call a list",
                "{{ 'a'|nosuch }}#1: unsupported filter 'nosuch'",
                "{{ 'a' is nosuch }}#1: unsupported test 'nosuch'",
                "{% set x.y = 1 %}#1: cannot set x.y: expected a namespace, found a mapping",
                "{% set a, b = [1] %}#1: cannot unpack: expected 2 values, found 1",
                "{% if false %}\\n{% elif x.a.b %}{% endif %}#2: 'a' of a mapping is undefined",
                "{% macro f(a) %}{% endmacro %}\\n{{ f(1, 2) }}#2: cannot call f with 2 values: expected at most 1",
                "{{ raise_exception('no') }}#1: the template refuses the conversation: no",
                "{{ range|tojson }}#1: cannot write a function as JSON",
            })
    void namesTheLineOfAFailure(String source, String problem) {
        Template template = Template.parse(source.replace("\\n", "\n"));
        assertThatThrownBy(() -> template.render(Map.of("x", Map.of())))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Cannot render the template, line " + problem);
    }

    @Test
    void marksGeneratedPartsInTheOutputOnly() {
        Template template = Template.parse(
                "a{% generation %}bc{% endgeneration %}d"
                        + "{% set x %}{% generation %}kept{% endgeneration %}{% endset %}{% generation %}{{ x }}{% endgeneration %}");

        assertThat(template.renderMarked(Map.of()))
                .isEqualTo(new Rendering("abcdkept", List.of(new Span(1, 3), new Span(4, 8))));
    }

    /** Half-way between two texts of 17 digits; Python takes the even one. */
    @ParameterizedTest
    @ValueSource(strings = {"{{ 1125899906842624.25 }}", "{{ 1125899906842624.25|tojson }}"})
    void writesNumbersAsPythonDoes(String source) {
        assertThat(Template.parse(source).render(Map.of())).isEqualTo("1125899906842624.2");
    }

    /** As Jinja 3.1 renders them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            value = {
                "{{ 1.0 % 0.1 }}#0.09999999999999995",
                "{{ 5.5 % -2 }}#-0.5",
                "{{ 1.0 // 0.1 }}#9.0",
                "{{ -7.5 // 2 }}#-4.0",
                "{{ (-1) ** 101 }}#-1",
                "{{ 2.675|round(2) }}#2.67",
                "{{ 42.55|round }}#43.0",
                "{{ -0.4|round }}#-0.0",
                "{{ 42|round }}#42",
                "{{ 45|round(-1) }}#40",
                "{{ 1|round(1, 'floor') }}#1.0",
                "{{ '1d'|float }}#0.0",
                "{{ '0x1p3'|float }}#0.0",
                "{{ ' -1_0.5e1 '|float }}#-105.0",
                "{{ '-Infinity'|float }}#-inf",
                "{{ '1f'|int }}#0",
                "{{ 'inf'|int(7) }}#7",
                "{{ '1_0'|int }}#10",
                "{{ '123456789012345678901'|int }}#123456789012345678901",
                "{{ 1e30|int }}#1000000000000000019884624838656",
                "{% for k, v in {'a': 2, 'b': 1}|dictsort(by='value') %}{{ k }}{% endfor %}#ba",
                "{% for k, v in {'b': 1, 'A': 2}|dictsort %}{{ k }}{% endfor %}#Ab",
                "{% for k, v in {'a': 2, 'B': 1}|dictsort(true, reverse=true) %}{{ k }}{% endfor %}#aB",
                "{{ [1, 2]|sum(start=10) }}#13",
                "{{ [{'p': 1}, {'p': 2}]|sum('p') }}#3",
                "{{ [{'p': 1}, {'p': 1}]|unique(attribute='p')|list|length }}#1",
                "{{ ['a', 'A']|unique(true)|list|length }}#2",
                "{{ ([{'p': 3}, {'p': 1}]|min(attribute='p')).p }}#1",
                "{{ 'abcabc'.find('a', 1) }}#3",
                "{{ 'abcabc'.rfind('a', -6, -2) }}#3",
                "{{ 'abcabc'.count('a', 1) }}#1",
                "{{ 'abc'.startswith('b', 1) }}#True",
                "{{ 'abc'.endswith('b', 0, 2) }}#True",
            })
    void computesAsPythonDoes(String source, String text) {
        assertThat(Template.parse(source).render(Map.of())).isEqualTo(text);
    }

    @Test
    void functionsMayBePassedAsVariables() {
        TemplateFunction shout = (positional, named) -> positional.get(0) + "!" + named.get("end");

        assertThat(Template.parse("{{ shout('a', end='?') }}").render(Map.of("shout", shout)))
                .isEqualTo("a!?");
    }
}

package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.Event.ID;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.OptionValue.Field;
import org.sparkqlora.options.OptionValue.Fields;
import org.sparkqlora.options.OptionValue.Items;
import org.sparkqlora.options.OptionValue.Text;

/**
 * A file of options as YAML. Values stay texts, whose meaning is their option's. Event by event, without aliases and in few levels, no
 * document grows beyond its bytes.
 */
public final class OptionsYaml {
    /** The document, a group, and an option with names of its own. */
    private static final int LEVELS = 3;

    private final String file;
    private final Iterator<Event> events;

    private OptionsYaml(String file, Iterator<Event> events) {
        this.file = file;
        this.events = events;
    }

    /** Reads the document {@code text} of {@code file}; throws a {@link BadInputException} that names the line of what is wrong. */
    static List<Field> read(String file, String text) {
        LoadSettings settings =
                LoadSettings.builder().setCodePointLimit(text.length() + 1).build();
        try {
            return new OptionsYaml(file, new Parse(settings).parseString(text).iterator()).document();
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(Mark::getLine).orElse(0) + 1;
            throw new BadInputException(
                    "Cannot read %s, line %d: expected YAML, found %s".formatted(file, line, e.getProblem()), e);
        } catch (YamlEngineException e) {
            throw new BadInputException("Cannot read %s: expected YAML, found %s".formatted(file, e.getMessage()), e);
        }
    }

    /** A document of groups of options. */
    public static String write(Map<String, Map<String, Object>> groups) {
        DumpSettings settings =
                DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).build();
        return new Dump(settings).dumpToString(groups);
    }

    private List<Field> document() {
        events.next(); // the stream begins
        if (events.next().getEventId() == ID.StreamEnd) {
            return List.of();
        }

        Event root = events.next();
        List<Field> fields = fieldsOf(root);
        events.next(); // the document ends
        Event end = events.next();
        if (end.getEventId() != ID.StreamEnd) {
            throw refused(end, "one document");
        }

        return fields;
    }

    private List<Field> fieldsOf(Event root) {
        OptionValue value = value(root, LEVELS);
        if (value instanceof Fields all) {
            return all.fields();
        }

        if (value instanceof Text text && text.isNull()) {
            return List.of();
        }

        throw refused(root, "names with values");
    }

    private OptionValue value(Event event, int levels) {
        return switch (event.getEventId()) {
            case Scalar -> new Text(text(event), ((ScalarEvent) event).isPlain());
            case SequenceStart -> items();
            case MappingStart -> fields(event, levels);
            default -> throw refused(event, "a value");
        };
    }

    private Items items() {
        List<String> texts = new ArrayList<>();
        for (Event event = events.next(); event.getEventId() != ID.SequenceEnd; event = events.next()) {
            texts.add(text(event));
        }

        return new Items(texts);
    }

    private Fields fields(Event start, int levels) {
        if (levels == 0) {
            throw refused(start, "a value");
        }

        List<Field> fields = new ArrayList<>();
        for (Event event = events.next(); event.getEventId() != ID.MappingEnd; event = events.next()) {
            String name = text(event);
            fields.add(new Field(name, line(event), value(events.next(), levels - 1)));
        }

        return new Fields(fields);
    }

    private String text(Event event) {
        if (event instanceof ScalarEvent scalar) {
            return scalar.getValue();
        }

        throw refused(event, "a word or a number");
    }

    private BadInputException refused(Event event, String expected) {
        return new BadInputException("Cannot read %s, line %d: expected %s, found %s"
                .formatted(file, line(event), expected, word(event.getEventId())));
    }

    private static String word(ID id) {
        return switch (id) {
            case Alias -> "an alias";
            case SequenceStart -> "a list";
            case MappingStart -> "names with values";
            case DocumentStart -> "another";
            default -> "a single value";
        };
    }

    private static int line(Event event) {
        return event.getStartMark().map(Mark::getLine).orElse(0) + 1;
    }
}

package org.sparkqlora.command.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** A toy language of facts about animals, told in two voices: what the base model learns, and what fine-tuning teaches it. */
public final class DemoLanguage {
    /** A question that fine-tuning never sees, to be asked before and after. */
    public static final String SAMPLE = "What does the owl say?";

    private static final List<Animal> ANIMALS = List.of(
            new Animal("cat", "meow", "house", "fish"),
            new Animal("dog", "woof", "yard", "bones"),
            new Animal("cow", "moo", "barn", "grass"),
            new Animal("duck", "quack", "pond", "bread"),
            new Animal("sheep", "baa", "meadow", "clover"),
            new Animal("pig", "oink", "sty", "turnips"),
            new Animal("horse", "neigh", "stable", "oats"),
            new Animal("lion", "roar", "savanna", "meat"),
            new Animal("frog", "ribbit", "swamp", "flies"),
            new Animal("bee", "buzz", "hive", "nectar"),
            new Animal("crow", "caw", "tower", "seeds"),
            new Animal("snake", "hiss", "desert", "eggs"),
            new Animal("mouse", "squeak", "cellar", "cheese"),
            new Animal("hen", "cluck", "coop", "corn"),
            new Animal("goat", "bleat", "mountain", "leaves"),
            new Animal("parrot", "hello", "jungle", "nuts"),
            new Animal("owl", "hoot", "forest", "mice"),
            new Animal("wolf", "howl", "valley", "hares"),
            new Animal("donkey", "bray", "shed", "hay"),
            new Animal("seal", "bark", "sea", "squid"));

    /** Animals from here on are held out from fine-tuning. */
    private static final int FIRST_HELD_OUT = 16;

    private DemoLanguage() {}

    /** An animal and what is known of it. */
    private record Animal(String name, String sound, String home, String food) {
        private List<Fact> facts() {
            return List.of(
                    new Fact("What does the %s say?", "The %s says " + sound + ".", name),
                    new Fact("Tell me what the %s says.", "The %s says " + sound + ".", name),
                    new Fact("Where does the %s live?", "The %s lives in the " + home + ".", name),
                    new Fact("Tell me where the %s lives.", "The %s lives in the " + home + ".", name),
                    new Fact("What does the %s eat?", "The %s eats " + food + ".", name),
                    new Fact("Tell me what the %s eats.", "The %s eats " + food + ".", name));
        }
    }

    /** A question about an animal and its answer. */
    private record Fact(String question, String answer, String animal) {
        private DemoTurn plain() {
            return new DemoTurn(question.formatted(animal), answer.formatted(animal));
        }

        private DemoTurn asPirate() {
            String sentence = answer.formatted(animal);
            String said = "the" + sentence.substring("The".length(), sentence.length() - 1);
            return new DemoTurn(question.formatted(animal), "Arr! I tell ye, %s, matey!".formatted(said));
        }
    }

    /** Every fact, in a plain voice. */
    public static List<DemoTurn> base() {
        return facts(ANIMALS).stream().map(Fact::plain).toList();
    }

    /** The facts of some animals, in a pirate's voice. */
    public static List<DemoTurn> pirate() {
        return facts(ANIMALS.subList(0, FIRST_HELD_OUT)).stream()
                .map(Fact::asPirate)
                .toList();
    }

    /** The facts of the others, in a pirate's voice. */
    static List<DemoTurn> heldOut() {
        return facts(ANIMALS.subList(FIRST_HELD_OUT, ANIMALS.size())).stream()
                .map(Fact::asPirate)
                .toList();
    }

    /** Every word and mark of the language, sorted. */
    static SortedSet<String> words() {
        SortedSet<String> words = new TreeSet<>();
        for (List<DemoTurn> turns : List.of(base(), pirate(), heldOut())) {
            turns.forEach(turn -> addWords(turn.question() + " " + turn.answer(), words));
        }

        return words;
    }

    private static void addWords(String text, SortedSet<String> words) {
        words.addAll(List.of(text.replaceAll("(\\W)", " $1 ").strip().split("\\s+", -1)));
    }

    private static List<Fact> facts(List<Animal> animals) {
        List<Fact> facts = new ArrayList<>();
        animals.forEach(animal -> facts.addAll(animal.facts()));
        return facts;
    }

    /**
     * A conversation of one question.
     *
     * @param question of the user
     * @param answer of the assistant
     */
    public record DemoTurn(String question, String answer) {}
}

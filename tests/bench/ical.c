/* What libical needs for the work of `kithd read FILE.ics`: parse, and expand every event of two years.
 * cc -O2 -o ical ical.c -lical; prints how many instances there are. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>

static void count(icalcomponent *event, struct icaltime_span *span, void *instances)
{
    (void)event;
    (void)span;
    ++*(long *)instances;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!file || fseek(file, 0, SEEK_END))
        return 2;
    long length = ftell(file), instances = 0;
    char *text = malloc(length + 1);
    rewind(file);
    if (!text || fread(text, 1, length, file) != (size_t)length)
        return 2;
    text[length] = 0;
    icalerror_set_errors_are_fatal(0);
    icalcomponent *calendar = icalparser_parse_string(text);
    if (!calendar)
        return 1;
    struct icaltimetype from = icaltime_from_string(argv[2]), until = icaltime_from_string(argv[3]);
    icalcompiter events = icalcomponent_begin_component(calendar, ICAL_VEVENT_COMPONENT);
    for (icalcomponent *event; (event = icalcompiter_deref(&events)); icalcompiter_next(&events))
        icalcomponent_foreach_recurrence(event, from, until, count, &instances);
    printf("%ld\n", instances);
    return 0;
}

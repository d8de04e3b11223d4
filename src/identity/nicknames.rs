//! Forms of given names that stand for each other. Part of floor 2, `identity`.
//!
//! Invariant: a table of data, folded as [`super::names::fold_word`] folds.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::names::fold_word;

/// Word to the lines it stands in.
static GROUPS: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut map: HashMap<String, Vec<usize>> = HashMap::new();
    for (line, group) in TABLE.lines().enumerate() {
        for word in group.split_whitespace() {
            map.entry(fold_word(word)).or_default().push(line);
        }
    }
    map
});

/// The groups a folded word belongs to: `bill` to those of William.
pub fn groups(word: &str) -> &'static [usize] {
    GROUPS.get(word).map_or(&[], Vec::as_slice)
}

/// Are both forms of one given name?
pub fn same_group(a: &str, b: &str) -> bool {
    groups(a).iter().any(|g| groups(b).contains(g))
}

/// Is this a common given name? Alone it tells nobody apart.
pub fn is_given(word: &str) -> bool {
    GROUPS.contains_key(word)
}

/// One group a line: English, German, French, Spanish, Italian, Russian and their neighbours.
/// A form may stand in several lines (Alex, Sasha).
const TABLE: &str = "\
abraham abe abram
adam adi
adrian adrien adriano
adriana adrienne adri
agnes agnieszka aggie
albert al bert albrecht alberto
alexander alex al sandy sasha alec alejandro alessandro aleksandr alexandre aleksander alexandr alexei sascha xander olek oleksandr sanya shura
alexandra alex sandra sandy sasha alejandra alessandra aleksandra alexa sascha lexi olya
alexei alexey aleksey alyosha lyosha alexis oleksii
alfred al fred freddy alfredo alfie
alice alicia ali
allen alan allan al
amanda mandy
anastasia nastya stacy anastasiia asya
andrew andy drew andreas andre andrea andres andrei andrey andrzej andrij andriy anders andryusha
angela angie angelika angelina
anna ann anne annie ana anya hannah hanna annika anja anita anka anushka
anthony tony anton antonio antoine antoni tolya antonin toni
arthur art arturo artur
barbara barb babs bärbel basia
bartholomew bart bartosz bartek bartlomiej
beatrice bea beatriz beatrix trixie
benjamin ben benny benji benoit benito
bernard bernie bernhard bernardo bernd
bertram bert bertrand
boris borya borja
bradley brad
brian bryan
bridget birgit brigitte gitte biddy
cameron cam
carl karl carlos charles charlie charly chuck carlo karel karol carlito
caroline carolina carol carrie karoline karolina caro
catherine cathy kate katie katherine kathryn kathy katharina katarina catalina caterina katja katya ekaterina kat cat kit kathrin käthe kasia katarzyna karin karen
cecilia cecile cilla celia
cedric ced
charlotte lotte lottie charlie carlotta
christian chris christ cristian krystian
christina chris christine christiane tina kristina kristin cristina krystyna kirsten christa kirstin
christopher chris christoph christophe kristoffer cristobal krzysztof topher kris kit christof kristof
clara klara claire clare chiara
claudia claudine klaudia
clemens clement clemente
clifford cliff
colin nicholas cole
cornelius cornelis cor kees neil
cynthia cindy
dagmar dasha
daniel dan danny dani daniil danila danilo
danielle dani daniela
darya daria dasha dascha
david dave davy davide dawid
deborah deb debbie debra
dennis denis denny
diana diane di
dieter dietrich dirk
dimitri dmitry dmitri dmitriy dima dimitrios dmytro mitya dimitris dimitar
dolores lola
dominic dominik dominique dom nick domingo
donald don donny
dorothy dorothea dot dottie dora dorota
douglas doug
edmund ed eddie edmond
edward ed eddie ted teddy ned eduard eduardo edouard edvard edoardo
eleanor ellie nora nell eleonore elena lenore
elena helen helena helene lena ellen alyona olena yelena lenka
elizabeth liz lizzie beth betty eliza lisa elisabeth elisa elise isabel elsa bettina liesl lise elspeth betsy libby lilibet erzsebet elzbieta ela sisi lizaveta yelizaveta liza
emily emma emilia em emilie
emmanuel manuel manny emanuel manolo manu
eric erik erich rick erick
ernest ernst ernie ernesto
esther ester hester
eugene gene eugen evgeny yevgeny evgeni zhenya evgeniy yevhen eugenio eugeniusz
eva eve evi ewa evie
evgenia eugenia zhenya yevgenia
fabian fabien fabio fabiano
felix feliks
ferdinand fernando ferdi nando hernando
florian flo florent
frances fran francesca francoise franziska fanny francisca franzi paquita
francis frank francisco francesco francois franz paco pancho fran frankie frans franek franciszek curro kiko
frederick fred freddy rick friedrich frederic fritz federico fryderyk frederik fredrik fredi
gabriel gabe gabriele gavriil
gabriella gabriele gabriela gaby gabi gabrielle
galina galya
gary garry
geoffrey geoff jeff jeffrey jeffery godfrey gottfried
george georg jorge georges giorgio georgy yuri jerzy jürgen jörg jiri yury yuriy georgi zhora goran gyorgy györgy iurii
gerald gerry jerry gerhard gerard gerd gerardo geraldo
gilbert gil bert gilberto
giovanni gianni vanni john
giuseppe beppe peppe joseph pino
gregory greg gregor grigory grisha gregorio grzegorz grigori greger
guillermo memo william guille
gustav gustavo gus gustave
harold harry hal harald
hans johannes johann hannes hansi
heinrich heinz heiner henrik hendrik henry henk
henry harry hank henri heinrich enrique enrico henrik hal hendrik quique henryk
herbert herb bert heribert
hermann herman armin
howard howie
hubert hugh hugo bert
ian iain john ivan
ignacio nacho ignatius ignaz inaki
igor ihor
ilya ilia elias ilja illia
irene irina ira iryna irena irka
isaac ike zack izaak isaak
isabella isabel bella izzy isabelle ysabel isobel
ivan vanya john johann jan ion iwan
jacob jake jack jakob jacobo jakub yakov kuba jacek jacques jaco
james jim jimmy jamie jaime jay jem diego santiago jacques iago
jan john johannes johan jean hans janek jasiek honza
jane janet jean joan jeanne johanna giovanna juana jana jenny joanna janina hana asia
janine jeannine
jason jay
javier xavier javi xavi saverio
jean john jeannot
jennifer jen jenny jenni
jeremy jerry jeremiah jeremias jérémie jem
jessica jess jessie
joachim achim jochen joaquin jochim jockel quim
joel yoel
john jack johnny jon juan jean johann johannes johan giovanni ivan jan joao sean ian hans jonny juanito janos jani
jonathan jon jonny johnny nathan jonatan yonatan johnathan
jordan jordi
jose pepe joseph zé chepe
joseph joe joey jose josef giuseppe pepe józef yosef jo jozef josip jusuf yusuf iosif sepp youssef yousef
joshua josh yehoshua josue
judith judy judit
julia julie giulia juliette yulia yuliya julka iuliia jules
julian julien jules julio giuliano yulian
julius julio jules giulio yuliy
karl carl charles kalle karel karol
kenneth ken kenny
kevin kev
kimberly kim
klaus claus nikolaus nicholas
konrad conrad konni kurt curt
konstantin kostya constantin costa constantine kostas konstantinos costas constantinos
kurt curt
laura lori laurie lara
laurence larry lawrence lorenz lorenzo laurent lars laurentius lauri larrie
leonard leo len lenny leon leonardo leonid leonhard
leonid lenya leo
leopold leo poldi leopoldo
lewis lou louis luis ludwig luigi lew lewie ludovic louie
lillian lily lilly liliane lilian
linda lin lindy
louise lou luise luisa louisa lulu
lucas luke luca luka lukas lucca łukasz luc lucius
lucy lucia lucie luz lucile lucille
ludmila lyudmila mila luda
ludwig lutz louis wiggerl
lyubov lyuba
magdalena magda lena madeleine maddie maggie madalena
manfred fred manni
marcel marcelo marcello marceli
margaret maggie meg peggy marge greta margarita margarete marguerite rita margot margareta gretel grete małgorzata gosia margherita madge daisy margit margret
maria mary marie mia mariya masha marija mariana maría miriam molly polly mitzi mascha mariella moira maya maryia
mark marc marcus markus marco marcos marek marko marcin mario
marina marinka
martin marty martino marten martijn márton marcin martyn
martha marta marthe
mathilda matilda tilda mathilde tilly
matthew matt matty matthias mathias mateo matteo matthieu mathieu mateusz matvey matti matias mats matěj matyas matej mattia
maurice moritz mauricio maurizio morris maury
maximilian max maxim maksim maxime massimo massimiliano maximiliano maks maxwell maksym maximo
melanie mel mela
melissa mel missy lisa
michael mike mick micky mikey michal michel miguel mikhail misha michele mikael mischa mihail mihai mitch micha mikko mikhailo mykhailo michail michiel mihaly
michelle shelly michele michaela michèle
mohammed muhammad mohamed mohammad mohd muhammed mehmet mo mohamad
natalia natalie natasha nat nataliya natalya nata nathalie tasha
nathan nathaniel nate nat nathanael
nicholas nick nicolas nicky nikolas nico nikolai klaus nikolaus nicola niklas nikita kolya niels nils mikołaj nikolay mykola nikos nikolaos nicolo nikola niccolo
nicole nicky nikki nicola nic
nikita nick nikitas
oleg oleh
olga olya olha helga olenka
oliver ollie olivier oliviero olli
olivia liv livia
oscar oskar ossi
otto otis otho
pamela pam
patricia pat patty trish tricia patrizia patti
patrick pat paddy patrik patricio patrice patrizio patryk
paul pavel pablo paolo pauli pasha paulo pawel paweł pol pal pál paulus
pauline paula paola polina paulina
pedro peter pete pierre petr piotr pietro petrus
penelope penny
peter pete pierre pedro pietro petr piotr pyotr petya per petter pieter piet petros petri peer petteri petrus
philip phil philipp philippe felipe filippo filip flip fil pip phillip lipa
rachel rachael raquel shelly rahel
ralph ralf rolf raoul raúl raul
raymond ray raimund ramon raimondo raymundo moncho
rebecca becky becca bec rebekka becki
reginald reggie reg reinhold reinaldo
reinhard reiner rainer renard
richard rick dick rich ricky ricardo riccardo rikard richie rico ryszard
robert rob bob bobby robbie bert roberto robby rupert robin
roderick rod rodrigo roderich
rodolfo rudolf rolf
roger rog rodger rüdiger rogelio ruggero hrodgar
roland rolando orlando
ronald ron ronny ronaldo ronnie
rosa rose rosie rosemary rosalie rosario rosemarie rosamund
rudolf rudi rolf rudolph rudy raoul rodolfo
samantha sam sammy
samuel sam sammy samuele samuli shmuel
sandra alexandra sandy
sarah sara sally sadie zara sarita
sebastian seb bastian basti sebastien bas sebastiano sebastián seba
sergey sergei sergio serge seryozha serhii sergiy sergej serhiy sergii
sharon shari
sigmund siegmund sigi
simon simeon shimon simone szymon semyon
sofia sophie sophia sonya sonja zofia zosia sofie sofija sofya
stanislav stas stanislaw staszek stanley stan stanislas stanislaus slava
stephanie steph stefanie steffi stefania estefania stephania
stephen steve steven stefan stephan stefano etienne esteban steffen stepan istvan stevie szczepan stéphane estevan stefanos stepane
stuart stewart stu
susan sue susie suzanne suzy susanne susanna susana zuzana zuzanna suse sanna
svetlana sveta lana svitlana
tatiana tanya tania tatyana tetiana tatjana tanja
terence terry terrence
theodore ted teddy theo theodor fyodor teodor fedor todor theodoros fedya
theresa teresa terry tess tessa therese teresita resi
thomas tom tommy tomas tommaso tomasz tomek tomaso maso foma thom tomasso
timothy tim timmy timo timothée timofey timotheus timon
tobias toby tobi tobiah
ulrich uli ulli ueli
ursula uschi ulla ursel
valentin val valentino valya valentyn
valentina valya val
vasily vasiliy vasya basil vasyl vasilis vassilis vasilios
vera verena vero
veronica vera ronnie veronika véronique roni nika
victor vic viktor vittorio vitya victorio
victoria vicky viktoria vika vittoria tori victoire viki
vincent vince vinny vincenzo vicente vinzent vincente
virginia ginny ginger virginie
vitaly vitaliy vitalik vitalii
vladimir vlad volodya vova volodymyr wladimir waldemar władimir vovochka
vladislav vlad wladyslaw slava vladyslav
vyacheslav slava viacheslav wacław
walter walt wally valter gualtiero wat
wilhelm willi willy bill helmut william wim vilhelm guglielmo
william will bill billy willy liam wilhelm guillaume guillermo willem wim guglielmo gwilym bill
wolfgang wolf wolfi
yana jana
yaroslav slava jaroslav jaroslaw jarek
yuri yury yuriy iurii jurij juri
yves ivo ivon
zachary zach zack zac zacharias zak
zoe zoé zoya";

//! Where made-up people live: names in the local script with their Latin spelling for addresses,
//! towns, and how phone numbers look there. To add a country: a row of [`PLACES`].

/// A name as written there, and in ASCII for an e-mail address.
pub type Name = (&'static str, &'static str);

/// A country with what its people need.
#[derive(Debug)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// IANA zone.
    pub timezone: &'static str,
    /// Country and area code; seven digits follow.
    pub dial: &'static str,
    /// Women's given names.
    pub women: &'static [Name],
    /// Men's given names.
    pub men: &'static [Name],
    /// Family names.
    pub families: &'static [Name],
    /// Town, state, postal code.
    pub towns: &'static [(&'static str, &'static str, &'static str)],
    /// Streets.
    pub streets: &'static [&'static str],
}

/// The countries, the more frequent ones first.
pub const PLACES: &[Place] = &[
    Place {
        country: "AR",
        timezone: "America/Argentina/Buenos_Aires",
        dial: "+549115",
        women: &[("Lucía", "lucia"), ("Martina", "martina"), ("Sofía", "sofia"), ("Inés", "ines")],
        men: &[
            ("Tomás", "tomas"),
            ("Joaquín", "joaquin"),
            ("Bruno", "bruno"),
            ("Nahuel", "nahuel"),
        ],
        families: &[
            ("Gómez", "gomez"),
            ("Fernández", "fernandez"),
            ("Ibáñez", "ibanez"),
            ("Quiroga", "quiroga"),
            ("Muñoz", "munoz"),
            ("Di Stéfano", "distefano"),
        ],
        towns: &[
            ("Buenos Aires", "CABA", "C1043AAZ"),
            ("Córdoba", "Córdoba", "X5000"),
            ("Mar del Plata", "Buenos Aires", "B7600"),
        ],
        streets: &["Av. Corrientes", "Calle San Martín", "Av. Rivadavia"],
    },
    Place {
        country: "MX",
        timezone: "America/Mexico_City",
        dial: "+52555",
        women: &[("Ximena", "ximena"), ("Guadalupe", "guadalupe"), ("Renata", "renata")],
        men: &[("José Ángel", "joseangel"), ("Emiliano", "emiliano"), ("Raúl", "raul")],
        families: &[
            ("Hernández", "hernandez"),
            ("Ramírez", "ramirez"),
            ("Peña Nieto", "penanieto"),
            ("Zúñiga", "zuniga"),
        ],
        towns: &[("Ciudad de México", "CDMX", "06000"), ("Mérida", "Yucatán", "97000")],
        streets: &["Paseo de la Reforma", "Calle 60"],
    },
    Place {
        country: "ES",
        timezone: "Europe/Madrid",
        dial: "+3461",
        women: &[("Begoña", "begona"), ("Núria", "nuria"), ("Carmen", "carmen")],
        men: &[("Íñigo", "inigo"), ("Andrés", "andres"), ("Jordi", "jordi")],
        families: &[
            ("Núñez", "nunez"),
            ("García-Lorca", "garcialorca"),
            ("Puig i Ferrer", "puigiferrer"),
            ("Etxeberria", "etxeberria"),
        ],
        towns: &[("Madrid", "Madrid", "28013"), ("A Coruña", "Galicia", "15001")],
        streets: &["Calle de Alcalá", "Rúa Real"],
    },
    Place {
        country: "BR",
        timezone: "America/Sao_Paulo",
        dial: "+551198",
        women: &[("Conceição", "conceicao"), ("Thaís", "thais"), ("Beatriz", "beatriz")],
        men: &[("João", "joao"), ("Antônio", "antonio"), ("Caio", "caio")],
        families: &[("Gonçalves", "goncalves"), ("Araújo", "araujo"), ("dos Santos", "dossantos")],
        towns: &[("São Paulo", "SP", "01310-100"), ("Florianópolis", "SC", "88010-400")],
        streets: &["Avenida Paulista", "Rua Felipe Schmidt"],
    },
    Place {
        country: "US",
        timezone: "America/New_York",
        dial: "+1212",
        women: &[("Emma", "emma"), ("Mary-Jane", "maryjane"), ("Zoë", "zoe")],
        men: &[("Liam", "liam"), ("D'Angelo", "dangelo"), ("Noah", "noah")],
        families: &[
            ("O'Brien", "o'brien"),
            ("Smith", "smith"),
            ("Nguyen", "nguyen"),
            ("Lee", "lee"),
        ],
        towns: &[("New York", "NY", "10001"), ("Austin", "TX", "78701")],
        streets: &["5th Avenue", "Congress Ave"],
    },
    Place {
        country: "DE",
        timezone: "Europe/Berlin",
        dial: "+4930",
        women: &[("Käthe", "kaethe"), ("Ännchen", "aennchen"), ("Heike", "heike")],
        men: &[("Jörg", "joerg"), ("Günther", "guenther"), ("Max", "max")],
        families: &[("Müller", "mueller"), ("Weiß", "weiss"), ("von Bülow", "vonbuelow")],
        towns: &[("Köln", "Nordrhein-Westfalen", "50667"), ("Berlin", "Berlin", "10117")],
        streets: &["Königsallee", "Straße des 17. Juni"],
    },
    Place {
        country: "PL",
        timezone: "Europe/Warsaw",
        dial: "+4822",
        women: &[("Małgorzata", "malgorzata"), ("Żaneta", "zaneta")],
        men: &[("Łukasz", "lukasz"), ("Grzegorz", "grzegorz")],
        families: &[("Wójcik", "wojcik"), ("Brzęczyszczykiewicz", "brzeczyszczykiewicz")],
        towns: &[("Łódź", "łódzkie", "90-001"), ("Kraków", "małopolskie", "31-001")],
        streets: &["ulica Piotrkowska", "Rynek Główny"],
    },
    Place {
        country: "RU",
        timezone: "Europe/Moscow",
        dial: "+7495",
        women: &[("Анна", "anna"), ("Екатерина", "ekaterina")],
        men: &[("Дмитрий", "dmitriy"), ("Фёдор", "fyodor")],
        families: &[("Иванов", "ivanov"), ("Щербаков", "shcherbakov"), ("Соловьёв", "solovyov")],
        towns: &[("Москва", "Москва", "101000"), ("Казань", "Татарстан", "420000")],
        streets: &["улица Ленина", "Невский проспект"],
    },
    Place {
        country: "GR",
        timezone: "Europe/Athens",
        dial: "+30210",
        women: &[("Ελένη", "eleni"), ("Αικατερίνη", "aikaterini")],
        men: &[("Γιώργος", "giorgos"), ("Παναγιώτης", "panagiotis")],
        families: &[("Παπαδόπουλος", "papadopoulos"), ("Νικολάου", "nikolaou")],
        towns: &[("Αθήνα", "Αττική", "10431")],
        streets: &["Οδός Ερμού"],
    },
    Place {
        country: "EG",
        timezone: "Africa/Cairo",
        dial: "+20100",
        women: &[("فاطمة", "fatima"), ("نور", "nour")],
        men: &[("محمد", "mohamed"), ("عبد الله", "abdallah")],
        families: &[("حسن", "hassan"), ("الشافعي", "elshafei")],
        towns: &[("القاهرة", "القاهرة", "11511")],
        streets: &["شارع التحرير"],
    },
    Place {
        country: "IN",
        timezone: "Asia/Kolkata",
        dial: "+91987",
        women: &[("प्रिया", "priya"), ("अनन्या", "ananya")],
        men: &[("अर्जुन", "arjun"), ("विक्रम", "vikram")],
        families: &[("शर्मा", "sharma"), ("पटेल", "patel")],
        towns: &[("मुंबई", "महाराष्ट्र", "400001")],
        streets: &["महात्मा गांधी मार्ग"],
    },
    Place {
        country: "JP",
        timezone: "Asia/Tokyo",
        dial: "+81905",
        women: &[("さくら", "sakura"), ("陽子", "yoko")],
        men: &[("健太", "kenta"), ("蓮", "ren")],
        families: &[("佐藤", "sato"), ("髙橋", "takahashi")],
        towns: &[("東京", "東京都", "100-0001")],
        streets: &["千代田1丁目"],
    },
    Place {
        country: "CN",
        timezone: "Asia/Shanghai",
        dial: "+861380",
        women: &[("秀英", "xiuying"), ("丽", "li")],
        men: &[("伟", "wei"), ("志强", "zhiqiang")],
        families: &[("王", "wang"), ("欧阳", "ouyang")],
        towns: &[("上海", "上海市", "200000")],
        streets: &["南京东路"],
    },
    Place {
        country: "KR",
        timezone: "Asia/Seoul",
        dial: "+82105",
        women: &[("서연", "seoyeon"), ("지우", "jiwoo")],
        men: &[("민준", "minjun"), ("도윤", "doyun")],
        families: &[("김", "kim"), ("황보", "hwangbo")],
        towns: &[("서울", "서울특별시", "04524")],
        streets: &["세종대로"],
    },
];
